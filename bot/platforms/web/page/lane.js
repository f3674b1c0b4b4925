// One engine's side of a demo: its lane on the stage, and below it the instances, who acted and what to type.

import { MARKS, copyButton, h, icon, redraw, say, unbroken } from "./dom.js";
import { Strip, percent } from "./strip.js";

const SHOWN_ACTS = 3;
const GAP = 4; // px between two names
const NEAR = 80; // px within which acts of the same actor share a name

/** Whether requests are sent to measure by: without them there is no strip to draw. */
export const asked = (card) => card.lanes.some((lane) => lane.bars.length);

/** A lane of the stage. */
export class Lane {
  constructor(engine) {
    this.engine = engine;
    this.strip = new Strip();
    this.name = h("h3");
    this.version = h("span", { class: "m" });
    this.state = h("p", { class: "state" });
    this.picture = h("div", { role: "img" }, this.strip.element);
    this.marks = h("div");
    this.beside = h("div", { class: "lb" }, this.marks, this.picture);
    this.element = h("section", { class: "lane" }, h("div", { class: "lh" }, this.name, this.version, this.state), this.beside);
    this.below = new Below();
    new ResizeObserver(() => this.named && this.nameActs(...this.named)).observe(this.beside);
  }

  /** Take new figures. */
  update(lane, card, scale) {
    this.beside.hidden = !asked(card);
    say(this.name, lane.name);
    say(this.version, lane.version);
    this.state.className = `state ${lane.mark}`;
    redraw(this.state, [lane.mark, lane.state], () => [icon(MARKS[lane.mark]), lane.state]);
    this.element.setAttribute("aria-label", `${lane.name} lane`);
    this.picture.setAttribute("aria-label", `${lane.name}: ${lane.state}`);
    redraw(this.marks, [lane.acts, lane.back_at, card.fault_at, scale], () => marks(lane, card, scale));
    this.below.update(lane, card);
    this.named = [lane.bars, scale];
    this.nameActs(lane.bars, scale);
  }

  /** Move the strip to the page's clock. */
  tick(lane, clock) {
    this.strip.draw(lane, clock);
  }

  /** Name each act where there is room: left of its ◆, else right of it, else not. Acts in a row share one name. */
  nameActs(bars, scale) {
    const lane = this.beside.getBoundingClientRect();
    const fault = this.marks.querySelector(".fl")?.getBoundingClientRect().right ?? lane.left;
    const marks = [...this.marks.querySelectorAll(".did")];
    for (const mark of marks) mark.className = "did";
    const places = marks.map((mark) => ({ actor: mark.dataset.actor, width: mark.offsetWidth, x: mark.lastChild.getBoundingClientRect() }));
    names(places, { left: lane.left, right: lane.right, fault }).forEach((side, index) => marks[index].classList.add(side));
    const inside = marks.every((mark) => clear(mark.getBoundingClientRect(), lane, bars, scale));
    this.marks.classList.toggle("inside", inside);
  }
}

/** Whether no answered request stands where a mark would lie if it were put into the lane, above the line. */
function clear(box, lane, bars, scale) {
  const [from, to] = [box.left, box.right].map((x) => ((x - lane.left) / lane.width) * scale);
  return !bars.some((bar) => bar.ok && bar.start < to && bar.start + bar.seconds > from);
}

/** On which side of its ◆ each act is named: "left", "right" or "unnamed". Pixels in, words out. */
function names(places, { left, right, fault }) {
  let free = left;
  let last = null;
  return places.map(({ actor, width, x }, index) => {
    const shared = last && last.actor === actor && x.left - last.x.right < NEAR;
    const start = Math.max(free, x.left > fault ? fault : left);
    const end = places[index + 1]?.x.left ?? right;
    const side = shared ? "unnamed" : x.right - width >= start ? "left" : x.left + width <= end ? "right" : "unnamed";
    free = (side === "right" ? x.left + width : x.right) + GAP;
    if (side !== "unnamed" || shared) last = { actor, x };
    return side;
  });
}

/** The fault's line, the ◆ of each act, and the line where the engine answered again. */
function marks(lane, card, scale) {
  const at = (style, t, ...children) => {
    const mark = h("div", { class: style }, ...children);
    mark.style.left = percent(t, scale);
    return mark;
  };
  const act = ({ t, actor }) => {
    const mark = at("did", t, h("span", {}, actor), icon("act"));
    mark.dataset.actor = actor;
    return mark;
  };
  return [
    card.fault_at === null ? null : at("fl", card.fault_at),
    ...lane.acts.filter((one) => one.acted).map(act),
    lane.back_at === null ? null : at("back", lane.back_at),
  ].filter(Boolean);
}

/** What stands below the stage for one engine. */
class Below {
  constructor() {
    this.name = h("h3");
    this.tiles = h("ul", { class: "tiles" });
    this.acts = h("ul", { class: "did-list" });
    this.commands = h("div");
    this.typed = h("div", {}, h("p", { class: "yt" }, "You would type"), this.commands);
    this.element = h("section", {}, this.name, this.tiles, this.acts, this.typed);
  }

  update(lane, card) {
    say(this.name, lane.name);
    this.element.setAttribute("aria-label", lane.name);
    this.tiles.setAttribute("aria-label", `${lane.name} instances`);
    redraw(this.tiles, lane.tiles, () => (lane.tiles.length ? lane.tiles.map(tile) : [h("li", { class: "muted" }, "nothing runs here now")]));
    redraw(this.acts, [lane.acts, card.state, card.fault_at], () => acts(lane, card));
    redraw(this.commands, lane.commands, () => lane.commands.map((text) => command(text, lane.name)));
    this.typed.hidden = !lane.commands.length;
  }
}

/** One line to type, with a button that copies it. */
const command = (text, engine) =>
  h("div", { class: "cmd" }, h("code", {}, ...unbroken(text)), copyButton(`Copy the ${engine} command ${text}`, () => text));

/** One container or pod. */
const tile = ({ name, phase, detail, mark }) =>
  h("li", { class: `tile ${mark}` }, h("b", {}, icon(MARKS[mark], mark), name), phase, h("span", { class: "m" }, detail));

/** What is told of many acts: the last ones that changed something, and where they are few, what was noted last. */
function told(acts) {
  const acted = acts.filter((act) => act.acted).slice(-SHOWN_ACTS);
  const noted = acts.filter((act) => !act.acted).slice(acted.length - SHOWN_ACTS);
  return acted.length === SHOWN_ACTS ? acted : [...acted, ...noted].sort((one, other) => one.t - other.t);
}

/** The last things an engine did or noted, and "nobody" where that is so since a fault: without one, the table says who. */
function acts(lane, card) {
  const lines = told(lane.acts).map((act) =>
    h("li", { class: act.acted ? null : "muted" }, h("span", { class: "sign" }, act.acted ? icon("act") : null),
      h("span", {}, h("span", { class: "m nb" }, `${act.t.toFixed(1)} s`), " ", h("b", {}, act.actor), ` ${act.text}`)));
  if (card.fault_at === null || lane.acts.some((act) => act.acted)) return lines;
  return [h("li", { class: "muted" }, card.state === "running" ? "nobody has acted so far" : "nobody has acted"), ...lines];
}
