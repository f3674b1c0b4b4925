// How the engines do: the chip in the header, its details, and the card while something is being built.

import { duration, h, icon, redraw } from "./dom.js";
import { Progress } from "./progress.js";

const NAMES = { docker: "Docker", kubernetes: "Kubernetes" };
const SIGNS = { ready: ["ok", "good"], building: ["wait", "waiting"], starting: ["wait", "waiting"], absent: ["no", "failed"], failed: ["no", "failed"] };
const WORDS = { ready: "ready", building: "being built", starting: "starting", absent: "not available", failed: "not available" };

/** Which step an engine is at, as "3/5"; nothing once it is ready. */
function step({ state, steps }) {
  const now = steps.findIndex((one) => one.state === "now");
  return (state === "building" || state === "starting") && now >= 0 ? [now + 1, steps.length] : null;
}

function spoken(engine) {
  const at = step(engine);
  return `${NAMES[engine.engine]} ${WORDS[engine.state]}${at ? `, step ${at[0]} of ${at[1]}` : ""}`;
}

function sign(engine) {
  const at = step(engine);
  return h("span", {}, icon(...SIGNS[engine.state]), NAMES[engine.engine], at ? h("span", { class: "nm m" }, at.join("/")) : null);
}

/** What is known of one engine: what it is, what it is at, what is wrong. */
function detail(engine) {
  const now = engine.steps.find((one) => one.state === "now");
  const lines = [[engine.version, engine.address].filter(Boolean).join(", "), now && `${now.title}, ${duration(now.seconds ?? 0, 0)}`, engine.detail];
  return h("div", {}, h("h2", {}, icon(...SIGNS[engine.state]), `${NAMES[engine.engine]}: ${WORDS[engine.state]}`),
    ...lines.filter(Boolean).map((line) => h("p", {}, line)));
}

/** A card that says why there are no demos; what holds for both engines is said once. */
function trouble(engines) {
  const names = engines.map((engine) => NAMES[engine.engine]).join(" and ");
  const reasons = [...new Set(engines.map((engine) => engine.detail))];
  return h("div", { class: "card err" }, h("div", {},
    h("h2", {}, icon("no", "failed"), h("span", {}, `${names} ${engines.length > 1 ? "are" : "is"} not available, so there are no demos. Questions work.`)),
    ...reasons.map((reason) => h("p", {}, reason))));
}

/** The chip opens and closes its details; Escape and a click elsewhere close them too. */
function wire(chip, details) {
  const show = (open) => {
    details.hidden = !open;
    chip.setAttribute("aria-expanded", String(open));
  };
  chip.addEventListener("click", () => show(details.hidden));
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || details.hidden) return;
    show(false);
    chip.focus();
  });
  addEventListener("click", (event) => {
    if (!chip.contains(event.target) && !details.contains(event.target)) show(false);
  });
}

/** What is shown of the engines; the returned function takes each newer state, or null while nothing is heard. */
export function showEngines({ chip, details, building }) {
  const card = new Progress();
  wire(chip, details);
  return (heard) => {
    chip.hidden = heard === null;
    if (heard === null) return;
    const { engines, progress } = heard;
    chip.setAttribute("aria-label", `Engines: ${engines.map(spoken).join(", ")}. Show details.`);
    redraw(chip, engines.map((engine) => [engine.state, step(engine)]), () => engines.map(sign));
    redraw(details, engines, () => engines.map(detail));
    const missing = engines.filter((engine) => ["absent", "failed"].includes(engine.state) && engine.detail);
    if (progress) card.update(progress);
    redraw(building, [Boolean(progress), progress ? [] : missing], () => (progress ? [card.element] : missing.length ? [trouble(missing)] : []));
    building.hidden = !progress && !missing.length;
  };
}
