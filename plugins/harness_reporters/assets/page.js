"use strict";
// Unpacks plotly.js, draws figures when they come into view, follows light, dark and print.
(() => {
  const groups = [...document.querySelectorAll("figure.group")].map((element) => ({
    figures: JSON.parse(element.querySelector("script").textContent),
    plots: [...element.querySelectorAll(".plot")],
    panels: [...element.querySelectorAll(".panel")],
    choice: element.querySelector("select"),
  }));
  const plots = groups.flatMap(({ figures, plots }) =>
    plots.map((element, place) => ({ element, figure: figures[place], drawn: false })),
  );
  const config = {
    displayModeBar: false,
  };
  const coarse = matchMedia("(pointer: coarse)").matches;

  // Colour tokens such as "@c0" stand for the CSS variable --c0 of the theme in force.
  const themed = (value, style) => {
    if (typeof value === "string" && value.startsWith("@"))
      return style.getPropertyValue("--" + value.slice(1)).trim();
    if (Array.isArray(value)) return value.map((item) => themed(item, style));
    if (value && typeof value === "object")
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, themed(item, style)]),
      );
    return value;
  };

  const draw = (plot) => {
    const style = getComputedStyle(document.documentElement);
    const layout = themed(plot.figure.layout, style);
    layout.width = plot.element.clientWidth;
    layout.height = plot.element.clientHeight;
    layout.font.family = getComputedStyle(document.body).fontFamily;
    if (coarse) layout.dragmode = false;
    plot.drawn = true;
    return Plotly.react(plot.element, themed(plot.figure.data, style), layout, config);
  };
  const visible = (plot) => plot.element.offsetParent !== null;

  const choose = ({ choice, panels }) => {
    if (!choice) return;
    panels.forEach((panel, place) => (panel.hidden = place !== choice.selectedIndex));
  };
  groups.forEach((group) => {
    choose(group);
    group.choice?.addEventListener("change", () => {
      choose(group);
      plots.filter((plot) => group.plots.includes(plot.element) && visible(plot)).forEach(draw);
    });
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
    const text = document.getElementById("plotly").textContent.trim();
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.nonce = nonce;
    script.textContent = await new Response(stream).text();
    document.head.append(script);
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
    if (!("DecompressionStream" in window)) {
      document.getElementById("cannot").hidden = false;
      return;
    }
    await unpack();
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
