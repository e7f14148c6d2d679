// A place to drop files that is a button too.

import { h } from "./dom.js";

/** A drop zone; `take(files)` gets an array of File. */
export function dropZone({ title, hint, accept = "", multiple = false, take, small = false, id = null }) {
  const input = h("input", {
    type: "file", class: "unseen", tabindex: "-1", "aria-hidden": "true", accept, multiple,
    onchange: () => {
      const files = [...input.files];
      input.value = ""; // the same file can be chosen again
      if (files.length) take(files);
    },
  });
  const zone = h(
    "button",
    { type: "button", class: small ? "drop small" : "drop", id, onclick: () => input.click() },
    h("span", { class: "drop-title" }, title),
    hint ? h("span", { class: "hint" }, hint) : null,
  );
  let depth = 0; // dragenter and dragleave also come from children
  const lit = (on) => zone.classList.toggle("over", on);
  zone.addEventListener("dragenter", (event) => { event.preventDefault(); depth += 1; lit(true); });
  zone.addEventListener("dragover", (event) => event.preventDefault());
  zone.addEventListener("dragleave", () => { depth -= 1; if (depth <= 0) lit(false); });
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    depth = 0;
    lit(false);
    const files = [...event.dataTransfer.files];
    if (files.length) take(multiple ? files : files.slice(0, 1));
  });
  return h("div", { class: "drop-holder" }, zone, input);
}

/** Files dropped beside a zone are taken, too: the browser would leave the page to show them. */
export function takeEverywhere(take) {
  window.addEventListener("dragover", (event) => event.preventDefault());
  window.addEventListener("drop", (event) => {
    event.preventDefault();
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length) take(files);
  });
}
