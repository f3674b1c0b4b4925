// A demo's card: built once, then changed in place, so that focus stays and a screen reader hears each sentence once.

import { h, icon, redraw, say, unbroken, whole } from "./dom.js";
import { Lane, asked } from "./lane.js";
import { percent } from "./strip.js";
import { table } from "./table.js";
import { Vote } from "./vote.js";

const TICK = 250; // ms: the strip moves by the page's own clock between two messages of the server
const STOPPING = "Stopping. What the run has made is being removed.";
const STOPPING_REPLAY = "Stopping.";
const STEPS = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300];

/** How many seconds the stage is wide: as long as the run is expected to take, and longer once it does. */
const scale = (card) => (card.state === "running" ? Math.max(card.total, card.t) : card.total);

/** The numbers under the stage: at most five steps, the last one with its unit. */
function axis(total) {
  const step = STEPS.find((candidate) => total / candidate <= 5) ?? total;
  const times = [];
  for (let t = 0; t < total * 0.86; t += step) times.push(t);
  return [...times, total].map((t, index) => {
    const mark = h("li", {}, index === 0 || t === total ? `${Math.round(t)} s` : String(t));
    mark.style.left = percent(t, total);
    return mark;
  });
}

const KEY = [["kg", "answered, above the line, half a second a bar"], ["kx", "failed, below it"], ["act", "who acted"],
  ["kb", "answered again"], ["kd", "not measured yet"]];

/** What the marks of the stage mean. */
const key = () => h("p", { class: "key", "aria-hidden": "true" }, ...KEY.map(([mark, meaning]) =>
  mark === "act" ? h("span", { class: "acted" }, icon("act", "small"), meaning) : h("span", {}, h("i", { class: mark }), meaning)));

/** The card of one run. */
export class Card {
  /** `stop` is what the Stop button does, `tell` says something and resolves with what is said to it. */
  constructor(stop, tell) {
    this.lanes = new Map();
    this.stopping = false;
    this.title = h("h2");
    this.subtitle = h("p", { class: "sub" });
    this.label = h("span");
    this.recorded = h("p", { class: "rec", hidden: true }, icon("rec"), this.label);
    this.clock = h("span");
    this.of = h("span");
    this.stop = h("button", { type: "button", class: "b", onclick: () => this.#stop(stop) }, icon("stop"), "Stop");
    this.elapsed = h("span", { class: "clock" }, h("span", { class: "vh" }, "Elapsed "), this.clock, this.of);
    this.bar = h("i");
    this.progress = h("div", { class: "prog", role: "progressbar", "aria-label": "Demo progress", "aria-valuemin": "0" }, this.bar);
    this.narration = h("div", { class: "say", role: "status", "aria-live": "polite" });
    this.headline = h("p");
    this.explanation = h("p");
    this.result = h("div", { class: "headline", role: "status", "aria-live": "polite" }, this.headline, this.explanation);
    this.measured = h("div");
    this.vote = new Vote(tell);
    this.fault = h("div");
    this.stage = h("div", { class: "stage" }, h("div", { class: "flt" }, this.fault));
    this.scale = h("ol");
    this.axis = h("div", { class: "axis", "aria-hidden": "true" }, this.scale);
    this.stage.append(this.axis);
    this.key = key();
    [, , this.actedKey, this.backKey, this.dotted] = this.key.children;
    this.below = h("div", { class: "cmds" });
    this.captions = h("div", { class: "cap" });
    this.element = h("div", { class: "card" }, h("div", { class: "ct" }, h("div", {}, this.title, this.recorded, this.subtitle), this.elapsed, this.stop),
      this.progress, this.vote.element, this.narration, this.result, this.measured, this.vote.guessed, this.stage, this.key, this.below, this.captions);
  }

  /** Take a newer state of the run. One that is being stopped has nothing more to tell until it has ended. */
  update(card) {
    if (this.stopping && card.state === "running") return;
    this.card = card;
    this.heard = performance.now();
    say(this.title, card.title);
    say(this.subtitle, card.subtitle);
    say(this.label, card.recorded ?? "");
    this.recorded.hidden = !card.recorded;
    say(this.narration, whole(card.narration));
    this.vote.update(card);
    this.#phase(card);
    this.#lanes(card);
    redraw(this.captions, card.captions, () => card.captions.map((text) => h("p", {}, ...unbroken(whole(text)))));
    redraw(this.measured, card.table, () => (card.table ? [table(card.table)] : []));
    this.#tick();
    if (card.state !== "running") this.pause();
    else this.timer ??= setInterval(() => this.#tick(), TICK);
  }

  /** Stand still: the run has ended, or nothing is heard of it. */
  pause() {
    clearInterval(this.timer);
    this.timer = null;
  }

  /** The turn is over, whatever the last card said: nothing is left to stop. */
  end() {
    this.pause();
    this.stop.hidden = this.elapsed.hidden = this.progress.hidden = this.vote.element.hidden = true;
  }

  #phase(card) {
    const running = card.state === "running";
    this.stop.hidden = this.elapsed.hidden = this.progress.hidden = this.dotted.hidden = !running;
    this.narration.hidden = !card.narration || (!running && Boolean(card.headline));
    this.result.hidden = running || !card.headline;
    this.measured.hidden = !card.table;
    this.captions.hidden = running || !card.captions.length;
    say(this.headline, running ? "" : whole(card.headline));
    say(this.explanation, running ? "" : whole(card.explanation));
    this.explanation.hidden = !card.explanation;
    this.element.classList.toggle("err", card.state === "failed");
  }

  #lanes(card) {
    const total = scale(card);
    this.stage.hidden = this.below.hidden = !card.lanes.length;
    this.key.hidden = this.axis.hidden = !asked(card);
    this.actedKey.hidden = !card.lanes.some((lane) => lane.acts.some((act) => act.acted));
    this.backKey.hidden = card.lanes.every((lane) => lane.back_at === null);
    for (const lane of card.lanes) {
      if (!this.lanes.has(lane.engine)) this.#add(lane.engine);
      this.lanes.get(lane.engine).update(lane, card, total);
    }
    redraw(this.scale, total, () => axis(total));
    redraw(this.fault, [card.fault, card.fault_at, total], () => (card.fault_at === null ? [] : [this.#label(card, total)]));
  }

  #add(engine) {
    const lane = new Lane(engine);
    this.lanes.set(engine, lane);
    this.stage.lastChild.before(lane.element);
    this.below.append(lane.below.element);
  }

  #label(card, total) {
    const label = h("span", {}, `▾ fault: ${card.fault}`);
    label.style.left = percent(card.fault_at, total);
    return label;
  }

  #tick() {
    const { card } = this;
    const running = card.state === "running";
    const now = running ? card.t + (performance.now() - this.heard) / 1000 : null;
    const total = scale(card);
    for (const lane of card.lanes) this.lanes.get(lane.engine).tick(lane, { total, now, fault: card.fault_at });
    if (!running) return;
    this.vote.tick(now - card.t);
    const shown = Math.min(now, total);
    this.clock.textContent = now.toFixed(1);
    this.of.textContent = ` s of ${Math.round(total)} s`;
    this.progress.setAttribute("aria-valuemax", Math.round(total));
    this.progress.setAttribute("aria-valuenow", Math.round(shown));
    this.bar.style.width = percent(shown, total);
  }

  #stop(stop) {
    this.stop.disabled = true;
    this.stop.lastChild.textContent = "Stopping";
    this.stopping = true;
    this.vote.element.hidden = true;
    this.narration.hidden = false;
    say(this.narration, this.card.recorded ? STOPPING_REPLAY : STOPPING);
    this.pause();
    stop();
  }
}
