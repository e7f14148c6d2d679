// Colours: those of the system, or light or dark as chosen. A classic script, so that it acts before the first paint.
(function () {
  "use strict";
  const KEY = "mixrd-theme";
  const LABELS = { auto: "Colours: as the system", light: "Colours: light", dark: "Colours: dark" };
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  let printing = false;

  function chosen() {
    try {
      const value = window.localStorage.getItem(KEY);
      return value in LABELS ? value : "auto";
    } catch {
      return "auto"; // storage is forbidden
    }
  }

  function apply() {
    const theme = chosen();
    const shown = printing ? "light" : theme === "auto" ? (dark.matches ? "dark" : "light") : theme;
    document.documentElement.dataset.theme = shown;
    document.documentElement.toggleAttribute("data-paper", printing);
    const button = document.getElementById("theme");
    if (button) {
      button.textContent = theme === "auto" ? "◐ Auto" : theme === "light" ? "☀ Light" : "☾ Dark";
      button.setAttribute("aria-label", `${LABELS[theme]}. Change`);
      button.title = LABELS[theme];
    }
    document.dispatchEvent(new CustomEvent("mixrd-theme"));
  }

  function next() {
    const order = ["auto", "light", "dark"];
    try {
      window.localStorage.setItem(KEY, order[(order.indexOf(chosen()) + 1) % order.length]);
    } catch {
      /* the choice is then forgotten */
    }
    apply();
  }

  apply();
  dark.addEventListener("change", apply);
  // Paper is white: canvases are drawn anew in light colours.
  window.addEventListener("beforeprint", () => { printing = true; apply(); });
  window.addEventListener("afterprint", () => { printing = false; apply(); });
  document.addEventListener("DOMContentLoaded", () => {
    document.getElementById("theme").addEventListener("click", next);
    apply();
  });
})();
