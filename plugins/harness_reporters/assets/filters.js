"use strict";
// What may be typed above a column: words, or conditions on numbers. Gives a test, or null.
const condition = (typed, words) => {
  const text = typed.trim().toLowerCase();
  if (!text) return () => true;
  if (words) {
    const not = text.startsWith("!");
    const part = not ? text.slice(1).trim() : text;
    return (value) => String(value ?? "").toLowerCase().includes(part) !== not;
  }
  const number = "([-+]?(?:\\d+\\.?\\d*|\\.\\d+)(?:e[-+]?\\d+)?)";
  const known = (test) => (value) => typeof value === "number" && test(value);
  const range = text.match(new RegExp(`^${number}\\s*(?:\\.\\.|–|to)\\s*${number}$`));
  if (range) return known((value) => value >= Number(range[1]) && value <= Number(range[2]));
  const bound = text.match(new RegExp(`^(<=|>=|≤|≥|<|>)\\s*${number}$`));
  if (bound) {
    const end = Number(bound[2]);
    return known(
      { "<": (v) => v < end, ">": (v) => v > end }[bound[1]] ??
        (["<=", "≤"].includes(bound[1]) ? (v) => v <= end : (v) => v >= end),
    );
  }
  const parts = text.replace(/^=/, "").split(/[,\s]+/).filter(Boolean);
  if (!parts.every((part) => new RegExp(`^${number}$`).test(part))) return null;
  const wanted = new Set(parts.map(Number));
  return known((value) => wanted.has(value));
};
// Orders values of a column: numbers by size, words as people count, what is missing at the end.
const ordered = (a, b, way) => {
  const rank = (value) => (value === null ? 2 : Number.isNaN(value) ? 1 : 0);
  const read = (value) =>
    value === "inf" ? Infinity : value === "-inf" ? -Infinity : value === "nan" ? NaN : value;
  const [first, second] = [read(a), read(b)];
  const apart = rank(first) - rank(second);
  if (apart || rank(first)) return apart;
  if (typeof first === "number" && typeof second === "number")
    return way * (first === second ? 0 : first < second ? -1 : 1);
  return way * String(first).localeCompare(String(second), "en", { numeric: true });
};
