// The tutor's words: paragraphs, lists, tables, code, emphasis and source numbers, from a few marks of Markdown.

import { h, unbroken } from "./dom.js";

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s](?:[^*]*[^*\s])?)\*|\[([^\]]+)\]\((https?:\/\/[^)\s]+)\)|\[(\d{1,2})\]/g;

/** The nodes of one line of text; `cite(n)` makes the button of a source, or null where there is no such source. */
function inline(text, cite) {
  const nodes = [];
  let end = 0;
  for (const found of text.matchAll(INLINE)) {
    const [all, code, strong, emphasis, label, address, number] = found;
    nodes.push(text.slice(end, found.index));
    if (code) nodes.push(h("code", {}, ...unbroken(code)));
    else if (strong) nodes.push(h("strong", {}, ...inline(strong, cite)));
    else if (emphasis) nodes.push(h("em", {}, ...inline(emphasis, cite)));
    else if (address) nodes.push(h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, label));
    else cited(nodes, cite(Number(number)), all);
    end = found.index + all.length;
  }
  nodes.push(text.slice(end));
  return nodes.filter((node) => node !== "");
}

/** A source's number, right behind the words it belongs to; as it is written where there is no such source. */
function cited(nodes, button, written) {
  if (!button) {
    nodes.push(written);
    return;
  }
  const [, before, word] = /^(.*?)(\S{0,24})\s*$/s.exec(nodes.pop());
  nodes.push(before, h("span", { class: "nb" }, word, button));
}

/** A list, if every line of the block is an item of one. */
function list(lines, cite) {
  for (const [tag, mark] of [["ul", /^\s*[-*] /], ["ol", /^\s*\d+[.)] /]]) {
    if (!lines.every((line) => mark.test(line))) continue;
    return h(tag, {}, ...lines.map((line) => h("li", {}, ...inline(line.replace(mark, ""), cite))));
  }
  return null;
}

/** A table of words, each cell with its light Markdown, in a box that scrolls by itself where the page is too narrow. */
export function wordTable(header, rows, cite) {
  const line = (tag, cells) => h("tr", {}, ...cells.map((text, index) => h(index ? tag : "th", { scope: scope(tag, index) }, ...inline(text, cite))));
  return h("div", { class: "scroll" },
    h("table", { class: "words" }, h("thead", {}, line("th", header)), h("tbody", {}, ...rows.map((row) => line("td", row)))));
}

const scope = (tag, index) => (tag === "th" ? "col" : index ? null : "row");

/** A quoted table, if the block is one: rows between bars, under the first a row of dashes. */
function quotedTable(lines, cite) {
  if (!/^\|[-:|\s]+$/.test(lines[1] ?? "") || !lines.every((line) => line.startsWith("|"))) return null;
  const [header, , ...rows] = lines.map((line) => line.replace(/^\||\|\s*$/g, "").split("|").map((text) => text.trim()));
  return wordTable(header, rows, cite);
}

/** One block: a list, a table, a heading (said in bold) or a paragraph. */
function block(text, cite) {
  const heading = /^#{1,6} (.+)$/.exec(text);
  if (heading) return h("p", {}, h("strong", {}, ...inline(heading[1], cite)));
  const lines = text.split("\n");
  return list(lines, cite) ?? quotedTable(lines, cite) ?? h("p", {}, ...inline(text, cite));
}

/** The blocks of a text. Fenced code is kept as it stands. */
export function prose(text, cite) {
  const blocks = [];
  text.split(/^```\w*\n?/m).forEach((piece, index) => {
    if (index % 2) blocks.push(h("div", { class: "code" }, h("pre", { tabindex: "0" }, piece.trimEnd())));
    else for (const one of piece.split(/\n{2,}/)) if (one.trim()) blocks.push(block(one.trim(), cite));
  });
  return blocks;
}
