// The page: the question field, the log and the engines, wired together.

import { showEngines } from "./engines.js";
import * as stream from "./stream.js";
import { addTurn } from "./turn.js";

const find = (id) => document.getElementById(id);
const field = find("say");
const refused = find("refused");

/** Send a message and show the reply; true if it was taken, else the server's sentence is shown above the field. */
async function send(text) {
  refused.hidden = true;
  try {
    const id = await stream.send(text);
    find("hello").hidden = true;
    addTurn(find("log"), { id, text, send });
    return true;
  } catch (error) {
    refused.textContent = error.message;
    refused.hidden = false;
    return false;
  }
}

find("composer").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = field.value;
  field.value = "";
  if (!(await send(text))) field.value ||= text;
});
for (const question of document.querySelectorAll("[data-say]")) question.addEventListener("click", () => send(question.dataset.say));

stream.followEngines(showEngines({ chip: find("chip"), details: find("details"), building: find("building") }));
