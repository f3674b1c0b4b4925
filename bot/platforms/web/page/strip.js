// The waterline: answered requests stand above a line, failed ones hang below it, both on one scale.

import { svg } from "./dom.js";

const WIDTH = 1000;
const LINE = 32.5;
const BAR = 0.5; // seconds
const LEAST = 0.2; // of a request: less of one in a bar is only the rest of its neighbour
const REACH = 29; // how far a bar goes from the line when every request went one way

/** Where a moment stands on the strip, in per cent. */
export const percent = (t, total) => `${(Math.min(1, Math.max(0, t / total)) * 100).toFixed(2)}%`;

/**
 * Bars of half a second, none of them across the fault, from intervals of any length: what an interval counted is spread
 * evenly over it. A bar that is not measured to its end is as narrow as what is measured of it.
 */
function halves(intervals, fault) {
  const bars = new Map();
  const origin = fault ?? 0;
  for (const { start, seconds, ok, failed } of intervals) {
    const end = start + seconds;
    for (let n = Math.floor((start - origin) / BAR); origin + n * BAR < end; n++) {
      const [from, to] = [Math.max(start, origin + n * BAR), Math.min(end, origin + (n + 1) * BAR)];
      const bar = bars.get(n) ?? { from, to, ok: 0, failed: 0 };
      const share = (to - from) / seconds;
      bars.set(n, { from: Math.min(from, bar.from), to: Math.max(to, bar.to), ok: bar.ok + ok * share, failed: bar.failed + failed * share });
    }
  }
  return [...bars.values()].filter((bar) => bar.ok + bar.failed > LEAST);
}

/** One path for all bars of a kind: a rectangle each, as high as its share of the requests that ended then. */
function path(bars, total, kind, place) {
  let drawn = "";
  for (const bar of bars) {
    const height = (REACH * bar[kind]) / (bar.ok + bar.failed);
    if (height < 0.5) continue;
    const [x, y, width] = place((bar.from / total) * WIDTH, ((bar.to - bar.from) / total) * WIDTH, height);
    drawn += `M${x.toFixed(1)} ${y.toFixed(1)}h${width.toFixed(1)}v${height.toFixed(1)}h${(-width).toFixed(1)}z`;
  }
  return drawn;
}

const above = (x, width, height) => [x, 31 - height, width * 0.66];
const below = (x, width) => [x + width * 0.16, 34, width * 0.34];

/** From when to when a lane has been measured. */
function measured(intervals) {
  const last = intervals.at(-1);
  return last ? [intervals[0].start, last.start + last.seconds] : [0, 0];
}

/** One lane's strip, redrawn in place. */
export class Strip {
  constructor() {
    const line = (style) => svg("line", { class: style, y1: LINE, y2: LINE, x1: 0, x2: 0, "vector-effect": "non-scaling-stroke" });
    [this.dotted, this.water, this.now] = ["f", "w", "n"].map(line);
    [this.good, this.bad] = ["g", "x"].map((style) => svg("path", { class: style, d: "" }));
    this.dotted.setAttribute("x2", WIDTH);
    this.now.setAttribute("y1", 22);
    this.now.setAttribute("y2", 43);
    this.element = svg("svg", { class: "strip", viewBox: `0 0 ${WIDTH} 64`, preserveAspectRatio: "none", "aria-hidden": "true" },
      this.dotted, this.water, this.now, this.good, this.bad);
  }

  /** Draw a lane on a scale of `total` seconds; `now` is the page's own clock, null once the run has ended. */
  draw(lane, { total, fault, now }) {
    const bars = halves(lane.bars, fault);
    const [from, to] = measured(lane.bars).map((t) => ((t / total) * WIDTH).toFixed(1));
    this.water.setAttribute("x1", from);
    this.water.setAttribute("x2", to);
    this.good.setAttribute("d", path(bars, total, "ok", above));
    this.bad.setAttribute("d", path(bars, total, "failed", below));
    this.now.style.display = now === null ? "none" : "";
    const x = ((Math.min(now ?? 0, total) / total) * WIDTH).toFixed(1);
    this.now.setAttribute("x1", x);
    this.now.setAttribute("x2", x);
  }
}
