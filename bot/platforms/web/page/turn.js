// One turn: what the learner said and the reply to it, part by part, each at its place.

import { h, icon, unbroken } from "./dom.js";
import { drawing } from "./parts.js";
import { SourceNotes } from "./sources.js";
import * as stream from "./stream.js";

const time = () => new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });

const LONG = 160; // characters: a question that is longer is set as text, so that the answer stays in sight

/** What the learner said, at the top of the page: a command as it is typed, in mono. */
function asked(text) {
  const said = text.startsWith("/") && text.length < 60 ? h("code", {}, ...unbroken(text)) : text;
  return h("article", { class: "turn ask", "aria-label": "You asked" },
    h("div", { class: "who" }, "You", h("span", { class: "m" }, time())), h("h2", { class: text.length > LONG ? "said long" : "said" }, said));
}

/** The reply, as it grows. */
class Reply {
  constructor(id, send) {
    this.places = [];
    this.kind = h("span", { class: "m", hidden: true }, "live");
    this.pending = h("p", { class: "pending", role: "status" }, "Reading…");
    this.lost = h("p", { class: "lost", role: "status", hidden: true });
    this.parts = h("div", { class: "parts" }, this.lost, this.pending);
    this.body = h("div", { class: "body" }, this.parts);
    this.element = h("article", { class: "turn", "aria-label": "Portside answered", "aria-busy": "true" },
      h("div", { class: "who" }, "Portside", this.kind), this.body);
    this.context = { send, tell: stream.tell, stop: () => stream.stop(id).catch((error) => this.#tell(error.message)), sources: new SourceNotes(this.body, id) };
  }

  part(place, part) {
    this.pending.remove();
    if (this.places[place]?.type !== part.type) this.#put(place, part.type);
    this.places[place].drawing.update(part);
    if (part.type === "sources") for (const { drawing: one } of this.places) one?.cited?.();
    if (part.type === "card") this.kind.hidden = false;
    if (part.recorded) this.kind.textContent = "recorded";
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

  /** A new drawing at its place: the last, or of what turned out to be another kind of part. */
  #put(place, type) {
    const made = drawing(type, this.context);
    if (this.places[place]) this.places[place].drawing.element.replaceWith(made.element);
    else this.parts.append(made.element);
    this.places[place] = { type, drawing: made };
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
  log.append(h("div", {}, question, reply.element));
  question.scrollIntoView({ block: "start" });
  stream.follow(id, {
    part: (place, part) => reply.part(place, part),
    found: () => reply.found(),
    lost: () => reply.interrupted(),
    gone: () => reply.gone(),
    done: () => reply.done(),
  });
}
