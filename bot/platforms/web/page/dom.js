// Elements: made from a tag, properties and children. Text only ever becomes text, never markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element; a property that starts with "on" is a listener, one that is null, undefined or false is left out. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An element of a drawing. */
export function svg(tag, properties = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(properties)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** One of the icons of index.html; `style` is a colour class. */
export function icon(name, style = "") {
  return svg("svg", { class: `i ${style}`, "aria-hidden": "true" }, svg("use", { href: `#${name}` }));
}

/** Which icon each meaning has. */
export const MARKS = { good: "ok", failed: "no", acted: "act", waiting: "wait" };

/** A figure and its unit stay on one line. */
export const whole = (text) => text.replace(/(\d) (?=(?:ms|s|min|kB|MB)\b)/g, "$1\u00a0");

/** Text whose words with a hyphen stay whole where they fit: an option never ends a line as "--". */
export const unbroken = (text) =>
  text.split(/(\S*-\S*)/).map((piece, index) => (index % 2 ? h("span", { class: "w" }, piece) : piece));

/** Put a text in, only if it differs: a live region then speaks once. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Put children in, only if what they are drawn from differs: focus and selection stay where they are. */
export function redraw(element, source, children) {
  const seen = JSON.stringify(source);
  if (element.drawnFrom === seen) return;
  element.drawnFrom = seen;
  element.replaceChildren(...children());
}

/** A button that copies; `text` is asked for at the click, because a command may change under it. Hidden where the
 * browser has no clipboard for the page: over plain HTTP from another machine. */
export function copyButton(label, text, caption = "") {
  const button = h("button", { type: "button", class: "b pl", "aria-label": label, hidden: !navigator.clipboard }, icon("copy"), caption);
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text());
    button.replaceChildren(icon("ok"), caption && "Copied");
    button.disabled = true;
    setTimeout(() => {
      button.replaceChildren(icon("copy"), caption);
      button.disabled = false;
    }, 1500);
  });
  return button;
}

/** Seconds as people say them: "12.3 s", "1 min 9 s". */
export function duration(seconds, digits = 1) {
  if (seconds < 60) return `${seconds.toFixed(digits)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}
