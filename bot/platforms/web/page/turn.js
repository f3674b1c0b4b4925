// One turn: what the learner said and the reply to it, part by part, each at its place.

import { h, icon } from "./dom.js";
import { drawing } from "./parts.js";
import { SourceNotes } from "./sources.js";
import * as stream from "./stream.js";

const time = () => new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });

/** A command as it is typed, in mono; each option stays whole. */
const command = (text) => h("code", {}, ...text.split(/ (?=--)/).flatMap((piece) => [h("span", { class: "nb" }, piece), " "]));

/** What the learner said, at the top of the page. */
function asked(text) {
  const said = text.startsWith("/") && text.length < 60 ? command(text) : text;
  return h("article", { class: "turn ask", "aria-label": "You asked" },
    h("div", { class: "who" }, "You", h("span", { class: "m" }, time())), h("div", { class: "said" }, said));
}

/** The reply, as it grows. */
class Reply {
  constructor(id, send) {
    this.places = [];
    this.kind = h("span", { class: "m", hidden: true }, "live");
    this.pending = h("p", { class: "pending", role: "status" }, "Reading…");
    this.lost = h("p", { class: "lost", role: "status", hidden: true });
    this.parts = h("div", { class: "parts" }, this.pending, this.lost);
    this.body = h("div", { class: "body" }, this.parts);
    this.element = h("article", { class: "turn", "aria-label": "Portside answered", "aria-busy": "true" },
      h("div", { class: "who" }, "Portside", this.kind), this.body);
    this.context = { send, stop: () => stream.stop(id).catch((error) => this.#tell(error.message)), sources: new SourceNotes(this.body, id) };
  }

  part(place, part) {
    this.pending.remove();
    this.places[place] ??= this.#add(part.type);
    this.places[place].drawing.update(part);
    if (part.type === "sources") for (const { drawing: one } of this.places) one?.cited?.();
    if (part.type === "card") this.kind.hidden = false;
  }

  found() {
    this.lost.hidden = true;
  }

  interrupted() {
    this.#tell("The connection is lost. Trying again.");
    for (const { drawing: one } of this.places) one?.pause?.();
  }

  done() {
    this.pending.remove();
    this.element.setAttribute("aria-busy", "false");
    for (const { drawing: one } of this.places) one?.end?.();
  }

  gone() {
    this.done();
    this.#tell("This reply is no longer there: Portside was started anew. Ask again.");
  }

  #add(type) {
    const made = drawing(type, this.context);
    this.lost.before(made.element);
    return { type, drawing: made };
  }

  #tell(words) {
    this.lost.replaceChildren(icon("wait"), h("span", {}, words));
    this.lost.hidden = false;
  }
}

/** Put a question and the reply to it into the log, and follow the reply to its end. */
export function addTurn(log, { id, text, send }) {
  const question = asked(text);
  const reply = new Reply(id, send);
  log.append(question, reply.element);
  question.scrollIntoView({ block: "start" });
  stream.follow(id, {
    part: (place, part) => reply.part(place, part),
    found: () => reply.found(),
    lost: () => reply.interrupted(),
    gone: () => reply.gone(),
    done: () => reply.done(),
  });
}
