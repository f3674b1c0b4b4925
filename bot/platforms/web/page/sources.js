// The sources of one answer: their numbers in the text, their list below it, and a note in the margin for the open one.

import { h, icon } from "./dom.js";
import { prose } from "./prose.js";

const WIDE = matchMedia("(min-width: 1021px)");

/** The headings above a source's words, without the page's own title. */
const headings = (source) => source.heading.split(" > ").filter((part) => part !== source.title);

/** A source's title; its section too, where two of them are of one page. */
function named(source, sources) {
  const alone = sources.filter((other) => other.source === source.source).length === 1;
  return [source.title, ...(alone ? [] : headings(source).slice(-1))].join(": ");
}

/** Where a source's words stand, in the words of a reader. */
function place(source) {
  const heading = headings(source).join(" > ");
  const section = heading ? `, section “${heading}”` : "";
  const linked = /^https?:\/\//.test(source.url ?? "");
  const name = linked ? h("a", { href: source.url, target: "_blank", rel: "noopener noreferrer" }, source.source) : source.source;
  return h("p", { class: "where" }, name, section);
}

/** The sources of one turn; at most one note is open. */
export class SourceNotes {
  /** `body` is the turn's body: the note stands beside its parts, or on a narrow page under the one that cites. */
  constructor(body, turn) {
    this.body = body;
    this.id = `note-${turn}`;
    this.sources = new Map();
    this.note = null;
  }

  /** Take the sources that came with the reply. */
  take(sources) {
    this.sources = new Map(sources.map((source) => [source.n, source]));
  }

  /** The button of a number in the text, or null where there is no such source. */
  cite(n) {
    const source = this.sources.get(n);
    return source ? this.#button("cite", source, n) : null;
  }

  /** The list of all sources. */
  list() {
    const items = [...this.sources.values()].map((source) =>
      h("li", {}, this.#button("", source, h("span", { class: "m" }, source.n), this.#name(source))));
    return h("ul", { class: "srcs", "aria-label": "Sources" }, ...items);
  }

  #name(source) {
    return named(source, [...this.sources.values()]);
  }

  #button(style, source, ...children) {
    const label = style ? `Source ${source.n}, ${this.#name(source)}` : null;
    const button = h("button", { type: "button", class: style || null, "data-source": source.n, "aria-label": label,
      "aria-expanded": "false", "aria-controls": this.id }, ...children);
    button.addEventListener("click", () => this.#toggle(source, button));
    return button;
  }

  #toggle(source, button) {
    const again = this.note?.dataset.source === String(source.n);
    this.#close();
    if (!again) this.#open(source, button);
  }

  #open(source, opener) {
    const shut = () => {
      this.#close();
      opener.focus();
    };
    this.note = h("aside", { class: "note", id: this.id, role: "group", "aria-label": `Source ${source.n}`, "data-source": source.n },
      h("h3", {}, h("span", { class: "m" }, source.n), source.title,
        h("button", { type: "button", class: "close", "aria-label": `Close source ${source.n}`, onclick: shut }, icon("no"))),
      h("blockquote", {}, ...prose(source.text, () => null)), place(source));
    this.note.addEventListener("keydown", (event) => event.key === "Escape" && shut());
    if (WIDE.matches) this.body.append(this.note);
    else opener.closest(".prose > *, .parts > *").after(this.note);
    this.body.classList.toggle("noted", WIDE.matches);
    this.#mark(source.n);
  }

  #close() {
    this.note?.remove();
    this.note = null;
    this.body.classList.remove("noted");
    this.#mark(null);
  }

  #mark(open) {
    for (const button of this.body.querySelectorAll("[data-source][aria-expanded]"))
      button.setAttribute("aria-expanded", String(button.dataset.source === String(open)));
  }
}
