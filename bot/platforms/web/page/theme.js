// The theme: as the system says, light or dark. A classic script in the head, so that it is set before first paint.
(() => {
  const MODES = ["system", "light", "dark"];
  const root = document.documentElement;

  /** What was chosen last; a browser that keeps nothing (private mode) gets the system's theme. */
  function kept() {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null;
    }
  }

  /** Remember the choice, where the browser allows it. */
  function keep(mode) {
    try {
      localStorage.setItem("theme", mode);
    } catch {
      // The choice then lasts as long as the page.
    }
  }

  let mode = MODES.includes(kept()) ? kept() : "system";

  function apply() {
    if (mode === "system") delete root.dataset.theme;
    else root.dataset.theme = mode;
  }

  function label(button) {
    const words = `Theme: ${mode === "system" ? "as the system" : mode}`;
    button.setAttribute("aria-label", words);
    button.title = words;
  }

  apply();
  addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    label(button);
    button.addEventListener("click", () => {
      mode = MODES[(MODES.indexOf(mode) + 1) % MODES.length];
      keep(mode);
      apply();
      label(button);
    });
  });
})();
