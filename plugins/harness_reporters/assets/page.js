"use strict";
// Unpacks plotly.js, draws figures when they come into view, follows light, dark and print.
(() => {
  const groups = [...document.querySelectorAll("figure.group")].map((element) => ({
    packed: element.querySelector("script.figures"),
    plots: [...element.querySelectorAll(".plot")],
    panels: [...element.querySelectorAll(".panel, .keys[data-choice]")],
    choice: element.querySelector("select"),
    views: [...element.querySelectorAll(".views button")],
  }));
  const plots = groups.flatMap(({ plots }) =>
    plots.map((element) => ({ element, figure: null, drawn: false, solid: false })),
  );
  const config = {
    displayModeBar: false,
  };
  const coarse = matchMedia("(pointer: coarse)").matches;

  // Colour tokens such as "@c0" stand for the CSS variable --c0 of the theme in force; "@c0_28" is
  // the same, with the opacity 0x28 of 0xff.
  const themed = (value, style) => {
    if (typeof value === "string" && value.startsWith("@")) {
      const [name, opacity = ""] = value.slice(1).split("_");
      return style.getPropertyValue("--" + name).trim() + opacity;
    }
    if (Array.isArray(value)) return value.map((item) => themed(item, style));
    if (value && typeof value === "object")
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, themed(item, style)]),
      );
    return value;
  };

  // A surface is given the numbers of the heat map of the same figure; its axes are its own.
  const shape = ({ figure, solid }) => {
    if (!solid) return figure;
    const { xaxis, yaxis, annotations, ...shared } = figure.layout;
    const data = figure.surface.data.map(({ numbers, ...trace }) => {
      if (numbers !== "@0") return trace;
      const { x, y, z } = figure.data[0];
      return { ...trace, x, y, z };
    });
    return { data, layout: { ...shared, ...figure.surface.layout } };
  };

  const draw = (plot) => {
    const style = getComputedStyle(document.documentElement);
    const figure = shape(plot);
    const layout = themed(figure.layout, style);
    layout.width = plot.element.clientWidth;
    layout.height = plot.element.clientHeight;
    layout.font.family = getComputedStyle(document.body).fontFamily;
    if (coarse && !plot.solid) layout.dragmode = false;
    plot.drawn = true;
    return Plotly.react(plot.element, themed(figure.data, style), layout, config);
  };
  const visible = (plot) => plot.figure !== null && plot.element.offsetParent !== null;

  const choose = ({ choice, panels }) => {
    if (!choice) return;
    panels.forEach((panel) => {
      const at = panel.dataset.choice;
      panel.hidden = at !== "" && Number(at) !== choice.selectedIndex;
    });
  };
  const of = (group) => plots.filter((plot) => group.plots.includes(plot.element));
  // A browser keeps few drawings in three dimensions at a time: those out of sight are given up.
  const settle = (plot) => {
    if (visible(plot)) return draw(plot);
    if (plot.solid && plot.drawn) {
      Plotly.purge(plot.element);
      plot.drawn = false;
    }
  };
  const canDrawSurfaces = () => {
    const context = document.createElement("canvas").getContext("webgl");
    context?.getExtension("WEBGL_lose_context")?.loseContext();
    return context !== null;
  };
  groups.forEach((group) => {
    choose(group);
    group.choice?.addEventListener("change", () => {
      choose(group);
      of(group).forEach(settle);
    });
    group.views.forEach((button, place) =>
      button.addEventListener("click", () => {
        if (place === 1 && !canDrawSurfaces()) {
          button.disabled = true;
          button.textContent = "surface: not in this browser";
          return;
        }
        group.views.forEach((other) => other.setAttribute("aria-pressed", other === button));
        of(group).forEach((plot) => {
          const solid = place === 1 && Boolean(plot.figure?.surface);
          if (plot.solid === solid) return;
          if (plot.drawn) Plotly.purge(plot.element);
          plot.drawn = false;
          plot.solid = solid;
          plot.height ??= plot.element.style.height;
          plot.element.style.height = solid ? "24rem" : plot.height;
          if (visible(plot)) draw(plot);
        });
      }),
    );
  });

  document.addEventListener("click", async ({ target }) => {
    const panel = target.closest(".save button")?.closest(".panel");
    const plot = plots.find(({ element }) => panel?.contains(element));
    if (!plot) return;
    const { clientWidth: width, clientHeight: height } = plot.element;
    const name = plot.element.getAttribute("aria-label").split(". ")[0];
    const filename = name.replace(/[^a-z0-9]+/gi, "-").toLowerCase();
    const format = target.textContent.toLowerCase();
    await Plotly.downloadImage(plot.element, { format, width, height, scale: 2, filename });
  });

  const unpack = async () => {
    const script = document.createElement("script");
    script.nonce = nonce;
    script.textContent = await inflated(document.getElementById("plotly"));
    document.head.append(script);
    const told = await Promise.all(groups.map(({ packed }) => inflated(packed)));
    const figures = told.flatMap((text) => JSON.parse(text));
    plots.forEach((plot, place) => {
      plot.figure = figures[place];
    });
  };
  const nonce = document.currentScript.nonce;

  const follow = () => {
    const again = () => plots.filter((plot) => plot.drawn).forEach(draw);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
    const before = () => {
      document.querySelectorAll("details").forEach((element) => {
        element.dataset.was = element.open ? "open" : "";
        element.open = true;
      });
      document.documentElement.classList.add("print");
      plots.filter(visible).forEach(draw);
    };
    const after = () => {
      document.querySelectorAll("details").forEach((element) => {
        element.open = element.dataset.was === "open";
      });
      document.documentElement.classList.remove("print");
      again();
    };
    addEventListener("beforeprint", before);
    addEventListener("afterprint", after);
  };

  const start = async () => {
    document.querySelectorAll("main table:not(#runs table)").forEach(sortable);
    if (!canInflate) {
      document.getElementById("cannot").hidden = false;
      return;
    }
    await Promise.all([unpack(), runsTable()]);
    follow();
    const watcher = new IntersectionObserver(
      (entries) =>
        entries
          .filter((entry) => entry.isIntersecting)
          .forEach((entry) => {
            watcher.unobserve(entry.target);
            const plot = plots.find(({ element }) => element === entry.target);
            if (!plot.drawn) draw(plot);
          }),
      { rootMargin: "600px" },
    );
    plots.forEach(({ element }) => watcher.observe(element));
    const sizes = new ResizeObserver((entries) =>
      entries.forEach(({ target }) => {
        const plot = plots.find(({ element }) => element === target);
        if (plot.drawn && visible(plot) && target.layout?.width !== target.clientWidth) draw(plot);
      }),
    );
    plots.forEach(({ element }) => sizes.observe(element));
    document.documentElement.dataset.ready = "yes";
  };
  start();
})();
