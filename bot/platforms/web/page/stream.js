// Talking to the server: a message goes out by POST, everything comes in by server-sent events.

/** A refusal in the server's own sentence, or one of ours when it does not answer at all. */
async function post(path, body) {
  let answer;
  try {
    answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  } catch {
    throw new Error("Portside does not answer. Is it still running? Start it with make run, then send this again.");
  }
  const said = await answer.json().catch(() => ({ error: `Portside could not do that (${answer.status}). Try again.` }));
  if (!answer.ok) throw new Error(said.error);
  return said;
}

/** Send a message; the id of the turn that answers it. */
export const send = async (text) => (await post("/messages", { text })).id;

/** Stop a turn; what it made is removed. */
export const stop = (turn) => post(`/turns/${turn}/stop`, {});

/**
 * Follow a turn until it is done. `on.part(place, part)` for each part that is new or changed, `on.done()` at the end,
 * `on.lost()` while the connection is tried again, `on.gone()` when the server no longer knows the turn.
 */
export function follow(turn, on) {
  const events = new EventSource(`/turns/${turn}/events`);
  events.addEventListener("open", () => on.found());
  events.addEventListener("part", (event) => {
    const part = JSON.parse(event.data);
    on.part(part.place, part);
  });
  events.addEventListener("done", () => {
    events.close();
    on.done();
  });
  events.addEventListener("error", () => (events.readyState === EventSource.CLOSED ? on.gone() : on.lost()));
}

/** Say what has no turn of its own in the log; the words that are said to it. */
export async function tell(text) {
  const turn = await send(text);
  return new Promise((resolve) => {
    let said = "";
    const end = () => resolve(said);
    follow(turn, { part: (_, part) => (said = part.text), found() {}, lost() {}, done: end, gone: end });
  });
}

/**
 * Follow how the engines do while the page is seen; null while the server does not answer. A hidden page lets go, because
 * a browser opens only six connections to one server, and each tab would hold one.
 */
export function followEngines(show) {
  let events = null;
  function attend() {
    events?.close();
    events = null;
    if (document.hidden) return;
    events = new EventSource("/engines/events");
    events.addEventListener("engines", (event) => show(JSON.parse(event.data)));
    events.addEventListener("error", () => show(null));
  }
  document.addEventListener("visibilitychange", attend);
  attend();
}
