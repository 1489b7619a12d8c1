"use strict";
// The table of all runs: sorted, filtered, drawn as far as somebody scrolls, saved as CSV.
const runsTable = async () => {
  const STEP = 100; // rows that are added at a time
  const box = document.getElementById("runs");
  if (!box || !canInflate) return;
  const { shown, columns } = JSON.parse(await inflated(box.querySelector("script")));
  const table = box.querySelector("table");
  const scroll = box.querySelector(".scroll");
  const told = box.querySelector(".count");
  const total = columns[0].values.length;
  const open = new Set(["", shown]);
  const filters = columns.map(() => "");
  let sorted = { column: -1, way: 1 };
  let rows = [];
  let drawn = 0;

  const make = (name, attributes = {}, ...inside) => {
    const element = document.createElement(name);
    Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
    element.append(...inside);
    return element;
  };
  const numbers = (column) => column.values.filter((value) => typeof value === "number");
  // As many places in a column for all its numbers, about four figures of the greatest.
  const formats = columns.map((column) => {
    const known = numbers(column);
    if (known.every(Number.isInteger)) return (value) => String(value);
    const top = known.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const places = Math.min(6, Math.max(0, 3 - Math.floor(Math.log10(top || 1))));
    return (value) =>
      top >= 1e6 || (top < 1e-3 && top > 0) ? value.toExponential(2) : value.toFixed(places);
  });
  const text = (place, row) => {
    const value = columns[place].values[row];
    if (value === null) return "–";
    return typeof value === "number" ? formats[place](value).replace("-", "−") : value;
  };
  const seen = () => columns.map((_, place) => place).filter((p) => open.has(columns[p].group));

  const more = () => {
    const body = table.tBodies[0];
    const places = seen();
    const state = columns.findIndex(({ name, group }) => name === "state" && !group);
    rows.slice(drawn, drawn + STEP).forEach((row) => {
      const line = body.insertRow();
      if (columns[state].values[row] !== "ok") line.className = "mark";
      places.forEach((place) => {
        const cell = line.insertCell();
        cell.textContent = text(place, row);
        if (!columns[place].words) cell.className = "number";
      });
    });
    drawn = Math.min(rows.length, drawn + STEP);
  };
  const fill = () => {
    scroll.scrollTop = 0;
    table.tBodies[0].replaceChildren();
    drawn = 0;
    more();
  };
  const select = () => {
    const tests = filters.map((typed, place) => condition(typed, columns[place].words));
    const used = tests.map((test, place) => [test, place]).filter(([t, p]) => t && filters[p]);
    rows = [...Array(total).keys()].filter((row) =>
      used.every(([test, place]) => test(columns[place].values[row])),
    );
    if (sorted.column >= 0) {
      const { values } = columns[sorted.column];
      rows.sort((a, b) => ordered(values[a], values[b], sorted.way) || a - b);
    }
    told.textContent = `${rows.length.toLocaleString("en")} of ${total.toLocaleString("en")} runs`;
    fill();
  };

  // Ascending, descending, and back to the order of the suite.
  const sort = (place) => {
    const same = sorted.column === place;
    sorted = same && sorted.way < 0 ? { column: -1, way: 1 } : { column: place, way: same ? -1 : 1 };
    table.querySelectorAll("th[aria-sort]").forEach((head) => {
      const here = Number(head.dataset.column) === sorted.column;
      head.setAttribute("aria-sort", !here ? "none" : sorted.way > 0 ? "ascending" : "descending");
    });
    select();
  };
  const heads = () => {
    const above = make("tr", { class: "groups" });
    const names = make("tr");
    const conditions = make("tr", { class: "filters" });
    seen().forEach((place, at, places) => {
      const { name, heading, group, words } = columns[place];
      if (!at || columns[places[at - 1]].group !== group) {
        const span = places.filter((other) => columns[other].group === group).length;
        above.append(make("th", { colspan: span, scope: "colgroup" }, group));
      }
      const way = sorted.column !== place ? "none" : sorted.way > 0 ? "ascending" : "descending";
      const button = make("button", { type: "button" }, name);
      button.addEventListener("click", () => sort(place));
      const look = words ? "" : "number";
      names.append(make("th", { scope: "col", class: look, "aria-sort": way, "data-column": place }, button));
      const hint = words ? "contains" : "> < ..";
      const input = make("input", { type: "text", placeholder: hint, "aria-label": `Filter ${heading}` });
      input.value = filters[place];
      input.addEventListener("input", () => {
        filters[place] = input.value;
        input.setAttribute("aria-invalid", condition(input.value, words) === null);
        select();
      });
      conditions.append(make("td", {}, input));
    });
    table.tHead.replaceChildren(above, names, conditions);
  };

  const choices = box.querySelector(".choices");
  [...new Set(columns.map(({ group }) => group))].filter(Boolean).forEach((group) => {
    const input = make("input", { type: "checkbox" });
    input.checked = open.has(group);
    input.addEventListener("change", () => {
      open[input.checked ? "add" : "delete"](group);
      if (!input.checked) columns.forEach((c, p) => c.group === group && (filters[p] = ""));
      heads();
      select();
    });
    choices.append(make("label", {}, input, group));
  });

  const quoted = (value) => {
    const told = value === null ? "" : String(value);
    return /[",\r\n]/.test(told) ? `"${told.replaceAll('"', '""')}"` : told;
  };
  const save = () => {
    const lines = [columns.map(({ heading }) => quoted(heading)).join(",")];
    rows.forEach((row) => lines.push(columns.map(({ values }) => quoted(values[row])).join(",")));
    const file = new Blob([lines.join("\n") + "\n"], { type: "text/csv" });
    const link = make("a", { href: URL.createObjectURL(file), download: box.dataset.file });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  box.querySelector(".download").addEventListener("click", save);
  box.querySelector(".clear").addEventListener("click", () => {
    filters.fill("");
    sorted = { column: -1, way: 1 };
    heads();
    select();
  });
  scroll.addEventListener("scroll", () => {
    if (scroll.scrollTop + scroll.clientHeight > scroll.scrollHeight - 400) more();
  });
  box.querySelector(".tools").hidden = false;
  heads();
  select();
};
