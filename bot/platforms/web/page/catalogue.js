// The demos that can be run: a card for each, with the question that it answers and the ways in which it may be run.

import { h, icon } from "./dom.js";

/** One demo; `send` runs it. */
function entry({ title, question, command, seconds, ways }, send) {
  const button = (label, said, style, sign = null) =>
    h("button", { type: "button", class: style, "aria-label": `${label}: ${title}`, onclick: () => send(said) }, sign, label);
  return h("li", { class: "demo" }, h("h3", {}, question), h("p", { class: "cap" }, `${title}, about ${Math.round(seconds)}\u00a0s`),
    h("div", { class: "row" }, button("See it happen", command, "b", icon("play"))),
    ways.length ? h("div", { class: "row ways" }, ...ways.map((way) => button(way.label, way.command, "b pl"))) : null,
    h("code", {}, command));
}

/** All of them. */
export const catalogue = ({ entries }, send) => h("ul", { class: "demos", "aria-label": "Demos" }, ...entries.map((one) => entry(one, send)));
