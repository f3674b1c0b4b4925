// A table: the first column names its rows, a mark says what a figure means.

import { MARKS, h, icon, whole } from "./dom.js";

/** One cell: measured figures in mono, words in sans. */
function cell({ text: written, mark }) {
  const text = whole(written);
  if (mark) return h("td", {}, h("span", { class: mark }, icon(MARKS[mark], mark === "acted" ? "small" : ""), ` ${text}`));
  return h("td", {}, /\d/.test(text) ? text : h("small", {}, text));
}

/** The whole table, in a box that scrolls by itself where the page is too narrow. */
export function table({ header, rows, caption }) {
  const [corner, ...columns] = header;
  const head = h("tr", {}, corner ? h("th", { scope: "col" }, corner) : h("td"), ...columns.map((name) => h("th", { scope: "col" }, name)));
  const body = rows.map(([name, ...cells]) => h("tr", {}, h("th", { scope: "row" }, name.text), ...cells.map(cell)));
  return h("div", { class: "scroll" },
    h("table", {}, caption ? h("caption", {}, caption) : null, h("thead", {}, head), h("tbody", {}, ...body)));
}
