// What is being prepared, step by step, with the time it takes.

import { duration, h, icon, redraw, say } from "./dom.js";

const ICONS = { done: ["ok", "good"], now: ["wait", "waiting"], failed: ["no", "failed"] };
const SPOKEN = { done: ", done", now: ", now", next: "", failed: ", failed" };

/** One step; what is still to come has neither icon nor time. */
function line({ title, state, seconds }) {
  const sign = ICONS[state] ? icon(...ICONS[state]) : h("span");
  const taken = seconds === null ? "" : duration(seconds, state === "now" ? 0 : 1);
  return h("li", { class: state === "now" ? "now" : state === "next" ? "muted" : null, "aria-current": state === "now" ? "step" : null },
    sign, h("span", {}, title, h("span", { class: "vh" }, SPOKEN[state])), h("span", { class: "m" }, taken));
}

/** A card of steps, changed in place. `stop`, if any, is what its Stop button does. */
export class Progress {
  constructor(stop = null) {
    this.title = h("h2");
    this.elapsed = h("span");
    this.bar = h("i");
    this.track = h("div", { class: "pb", role: "progressbar", "aria-valuemin": "0" }, this.bar);
    this.steps = h("ol", { class: "steps" });
    this.note = h("p", { class: "cap" });
    this.stop = stop && h("button", { type: "button", class: "b", onclick: stop }, icon("stop"), "Stop");
    const head = h("div", { class: "ct" }, h("div", {}, this.title),
      h("span", { class: "clock" }, h("span", { class: "vh" }, "Elapsed "), this.elapsed), this.stop);
    this.element = h("div", { class: "card" }, h("div", {}, head, this.track, this.steps), this.note);
  }

  /** Take a newer state. */
  update({ title, steps, seconds, note }) {
    const done = steps.filter((step) => step.state === "done").length;
    const now = steps.findIndex((step) => step.state === "now");
    this.element.hidden = !steps.length; // nothing is left to prepare
    say(this.title, title);
    say(this.elapsed, duration(seconds, 0));
    const part = now < 0 ? 0 : (steps[now].fraction ?? 0.5);
    this.bar.style.width = `${((done + part) / Math.max(1, steps.length)) * 100}%`;
    this.track.setAttribute("aria-label", title);
    this.track.setAttribute("aria-valuemax", steps.length);
    this.track.setAttribute("aria-valuenow", done);
    if (now >= 0) this.track.setAttribute("aria-valuetext", `Step ${now + 1} of ${steps.length}, ${steps[now].title}`);
    redraw(this.steps, steps, () => steps.map(line));
    say(this.note, note);
    this.note.hidden = !note;
    if (this.stop) this.stop.hidden = now < 0;
  }

  /** The turn is over: nothing is left to stop. */
  end() {
    if (this.stop) this.stop.hidden = true;
  }
}
