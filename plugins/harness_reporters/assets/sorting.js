"use strict";
// Tables of the page can be sorted by a click on a heading; a third click gives the old order back.
const sortable = (table) => {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  if (body.rows.length < 3) return;
  const original = [...body.rows];
  // Headings that stand before several rows are written before each of them while it is sorted.
  const written = original.map((row) => row.cloneNode(true));
  let head = null;
  let left = 0;
  written.forEach((row) => {
    if (left === 0) {
      head = row.cells[0];
      left = head.rowSpan;
      head.rowSpan = 1;
    } else if (row.cells.length < heads.length) {
      row.prepend(head.cloneNode(true));
    }
    row.classList.add("first");
    left -= 1;
  });
  const read = (row, place) => {
    const text = row.cells[place].firstChild?.textContent.trim().replace("−", "-") ?? "";
    if (!text || text === "–") return null;
    const number = text.match(/^[<≤]?\s*([-+]?[\d,]*\.?\d+(?:e[-+]?\d+)?)/i);
    return number ? Number(number[1].replaceAll(",", "")) : text;
  };
  heads.forEach((cell, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...cell.childNodes);
    cell.append(button);
    cell.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const next = { none: "ascending", ascending: "descending", descending: "none" };
      const way = next[cell.getAttribute("aria-sort")];
      heads.forEach((other) => other.setAttribute("aria-sort", other === cell ? way : "none"));
      if (way === "none") return body.replaceChildren(...original);
      const sign = way === "ascending" ? 1 : -1;
      const rows = [...written];
      rows.sort((a, b) => ordered(read(a, place), read(b, place), sign));
      return body.replaceChildren(...rows);
    });
  });
};
