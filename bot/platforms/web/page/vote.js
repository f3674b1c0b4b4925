// Predict first: what may be guessed before the fault, and once that is closed how many guessed what.

import { h, redraw, say, whole } from "./dom.js";

let votes = 0; // on this page: a group of radio buttons needs a name of its own

/** One thing that may be guessed: the whole of it is the radio button. */
class Option {
  constructor(group, guess, cast) {
    this.count = h("span", { class: "m" });
    this.radio = h("input", { type: "radio", name: group, onchange: () => cast(this.command) });
    this.element = h("label", { class: "opt" }, this.radio, h("span", { class: "ol" }, whole(guess.label)), this.count);
  }

  /** `all` is how many have guessed anything about this engine. */
  update({ votes: n, command }, all) {
    this.command = command;
    say(this.count, String(n));
    this.element.style.setProperty("--p", `${all ? Math.round((n / all) * 100) : 0}%`);
  }
}

/** The vote of one card: changed in place, so that what is chosen and the focus stay. */
export class Vote {
  /** `tell` sends a message, and resolves with what is said to it. */
  constructor(tell) {
    this.tell = tell;
    this.name = `vote-${(votes += 1)}`;
    this.question = h("span");
    this.left = h("span", { class: "muted m" });
    this.ballots = h("div", { class: "ballots" });
    this.told = h("p", { class: "cap", role: "status", "aria-live": "polite" });
    this.go = h("button", { type: "button", class: "b pri", onclick: () => this.#cast(this.poll.go) }, "Go now");
    this.element = h("section", { class: "vote", "aria-label": "Predict first", hidden: true },
      h("p", { class: "vq" }, h("span", {}, h("b", {}, "Predict first."), " ", this.question), this.left), this.ballots,
      h("div", { class: "row" }, this.go, this.told));
    this.guessed = h("div", { class: "cap", hidden: true });
  }

  /** Take a newer state of a card; it may have no poll. */
  update({ poll, state }) {
    const open = Boolean(poll) && poll.left !== null && state === "running";
    const outcomes = poll?.ballots.filter((ballot) => ballot.outcome) ?? [];
    this.element.hidden = !open;
    this.guessed.hidden = !outcomes.length;
    redraw(this.guessed, outcomes, () => [h("p", {}, h("b", {}, "What was guessed")),
      ...outcomes.map(({ name, outcome }) => h("p", {}, whole(`${name}: ${outcome}`)))]);
    this.poll = poll;
    if (open) this.#options(poll);
  }

  /** So many seconds after the last state was heard. */
  tick(seconds) {
    if (!this.element.hidden) say(this.left, `${Math.ceil(Math.max(0, this.poll.left - seconds))} s left`);
  }

  #options({ question, ballots }) {
    say(this.question, question);
    if (!this.told.textContent) say(this.told, "The fault comes when the time is over, or when you press Go now.");
    redraw(this.ballots, ballots.map(({ name, guesses }) => [name, guesses.map((guess) => guess.label)]), () => ballots.map((ballot) => this.#ballot(ballot)));
    ballots.forEach(({ guesses }, row) => {
      const all = guesses.reduce((sum, guess) => sum + guess.votes, 0);
      guesses.forEach((guess, n) => this.ballots.children[row].options[n].update(guess, all));
    });
  }

  #ballot({ name, guesses }) {
    const options = guesses.map((guess) => new Option(`${this.name}-${name}`, guess, (command) => this.#cast(command)));
    const ballot = h("fieldset", {}, h("legend", {}, name), h("div", { class: "opts" }, ...options.map((option) => option.element)));
    return Object.assign(ballot, { options });
  }

  async #cast(command) {
    try {
      say(this.told, whole(await this.tell(command)));
    } catch (error) {
      say(this.told, error.message);
    }
  }
}
