// The waterline: answered requests stand above a line, failed ones hang below it, both on one scale.

import { svg } from "./dom.js";

const WIDTH = 1000;
const LINE = 32.5;
const REACH = 29; // how far a bar goes from the line when every request went one way

/** Where a moment stands on the strip, in per cent. */
export const percent = (t, total) => `${(Math.min(1, Math.max(0, t / total)) * 100).toFixed(2)}%`;

/** One path for all bars of a kind: a rectangle each. */
function bars(lane, total, rectangle) {
  let path = "";
  for (const bar of lane.bars) {
    const all = bar.ok + bar.failed;
    if (!all) continue;
    const [left, top, width, height] = rectangle((bar.start / total) * WIDTH, (bar.seconds / total) * WIDTH, bar, all);
    if (height) path += `M${left.toFixed(1)} ${top.toFixed(1)}h${width.toFixed(1)}v${height.toFixed(1)}h${(-width).toFixed(1)}z`;
  }
  return path;
}

const answered = (x, width, bar, all) => [x, 31 - (REACH * bar.ok) / all, width * 0.66, (REACH * bar.ok) / all];
const failed = (x, width, bar, all) => [x + width * 0.16, 34, width * 0.34, (REACH * bar.failed) / all];

/** The last moment that a lane has measured. */
const measured = (lane) => lane.bars.reduce((end, bar) => Math.max(end, bar.start + bar.seconds), 0);

/** One lane's strip, redrawn in place. */
export class Strip {
  constructor() {
    const line = (style) => svg("line", { class: style, y1: LINE, y2: LINE, x1: 0, x2: 0, "vector-effect": "non-scaling-stroke" });
    [this.water, this.ahead, this.now] = ["w", "f", "n"].map(line);
    [this.good, this.bad] = ["g", "x"].map((style) => svg("path", { class: style, d: "" }));
    this.now.setAttribute("y1", 22);
    this.now.setAttribute("y2", 43);
    this.element = svg("svg", { class: "strip", viewBox: `0 0 ${WIDTH} 64`, preserveAspectRatio: "none", "aria-hidden": "true" },
      this.water, this.ahead, this.now, this.good, this.bad);
  }

  /** Draw a lane on a scale of `total` seconds; `now` is the page's own clock, null once the run has ended. */
  draw(lane, total, now) {
    const end = (measured(lane) / total) * WIDTH;
    this.water.setAttribute("x2", end.toFixed(1));
    this.ahead.setAttribute("x1", end.toFixed(1));
    this.ahead.setAttribute("x2", WIDTH);
    this.good.setAttribute("d", bars(lane, total, answered));
    this.bad.setAttribute("d", bars(lane, total, failed));
    this.now.style.display = now === null ? "none" : "";
    const x = ((Math.min(now ?? 0, total) / total) * WIDTH).toFixed(1);
    this.now.setAttribute("x1", x);
    this.now.setAttribute("x2", x);
  }
}
