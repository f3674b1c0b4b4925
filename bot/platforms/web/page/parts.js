// From a part to what stands on the page. Each kind has one drawing with `element` and `update(part)`, so that a reply
// can grow in place; some have `end()` and `pause()` besides.

import { Card } from "./card.js";
import { catalogue } from "./catalogue.js";
import { copyButton, h, icon } from "./dom.js";
import { Progress } from "./progress.js";
import { prose, wordTable } from "./prose.js";
import { table } from "./table.js";

/** A drawing that is made anew with each update. */
function plain(element, children) {
  return { element, update: (part) => element.replaceChildren(...children(part)) };
}

/** Words that are drawn again when the sources arrive, because their numbers become buttons then. */
function citing(element, sources, children) {
  const drawing = plain(element, (part) => {
    drawing.part = part;
    return children(part, (n) => sources.cite(n));
  });
  drawing.cited = () => drawing.update(drawing.part);
  return drawing;
}

/** Paragraphs. */
const text = ({ sources }) => citing(h("div", { class: "prose" }), sources, (part, cite) => prose(part.text, cite));

/** A table of figures or of words. */
const tabled = ({ sources }) => citing(h("div"), sources, (part, cite) => [part.words
  ? wordTable(part.header, part.rows.map((row) => row.map((cell) => cell.text)), cite) : table(part)]);

const LANGUAGES = { console: "In a terminal", yaml: "YAML", json: "JSON", text: "Text", dockerfile: "Dockerfile" };

/** YAML with its keys in colour; anything else as it stands. */
const coloured = ({ text: source, language }) => (language !== "yaml" ? [source]
  : source.split(/^(\s*(?:- )*[\w./-]+)(?=:)/m).map((piece, index) => (index % 2 ? h("i", {}, piece) : piece)));

/** What of a code block is worth copying: of a terminal the commands alone, without prompts and what they printed. */
function copied({ text: source, language }) {
  const commands = [...source.matchAll(/^\$ ((?:.*\\\n)*.*)$/gm)].map(([, command]) => command);
  return language === "console" && commands.length ? commands.join("\n") : source;
}

/** Something typed or printed, with a button that copies it. */
function code() {
  return plain(h("div", { class: "code" }), (part) => [
    h("div", { class: "top" }, h("span", {}, LANGUAGES[part.language] ?? part.language), copyButton("Copy", () => copied(part), "Copy")),
    h("pre", { tabindex: "0", "aria-label": LANGUAGES[part.language] ?? part.language }, ...coloured(part)),
  ]);
}

/** What may be done next; the first primary one is the one filled button of the reply. */
function choices({ send }) {
  return plain(h("div", { class: "row acts" }), (part) => {
    const first = part.choices.find((choice) => choice.primary);
    return part.choices.map((choice) =>
      h("button", { type: "button", class: choice === first ? "b pri" : "b", onclick: () => send(choice.command) },
        /^[/](demo|replay)/.test(choice.command) && choice === first ? icon("play") : null, choice.label));
  });
}

/** What went wrong, what is safe, what to do. */
function failure({ send }) {
  return plain(h("div", { class: "card err", role: "alert" }), (part) => [
    h("div", {}, h("h2", {}, icon("no", "failed"), h("span", {}, part.text)), part.advice ? h("p", {}, part.advice) : null),
    h("div", { class: "row" },
      part.retry ? h("button", { type: "button", class: "b pri", onclick: () => send(part.retry) }, part.retry.startsWith("/") ? "Run it again" : "Ask again") : null,
      h("span", { class: "grow" }), h("span", { class: "cap" }, "Reference ", h("span", { class: "m" }, part.reference))),
  ]);
}

/** The list of sources; what cites them is drawn again by the turn. */
function sources(context) {
  return plain(h("div"), (part) => {
    context.sources.take(part.sources);
    return part.sources.length ? [context.sources.list()] : [];
  });
}

const DRAWINGS = {
  text,
  code,
  table: tabled,
  sources,
  choices,
  catalogue: ({ send }) => plain(h("div"), (part) => [catalogue(part, send)]),
  card: ({ stop, tell }) => new Card(stop, tell),
  progress: ({ stop }) => new Progress(stop),
  failure,
};

/** A drawing for a kind of part; `context` has `send`, `tell`, `stop` and `sources` of the turn. */
export const drawing = (type, context) => DRAWINGS[type](context);
