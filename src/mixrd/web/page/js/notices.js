// Errors, doubts and announcements.

import { byId, fill, h } from "./dom.js";

/** Say something to those who do not see the page. */
export function announce(text) {
  byId("live").textContent = text;
}

/** A box for an error: what is wrong, where, and what to do about it. */
export function errorBox(error, { close = null, actions = [] } = {}) {
  return h(
    "div",
    { class: "box error", role: "alert" },
    h("div", { class: "grow" },
      h("p", {}, h("strong", {}, error.file ? `${error.file}: ` : "", sentence(error.message))),
      error.remedy ? h("p", {}, sentence(error.remedy)) : null,
      actions),
    close ? h("button", { type: "button", class: "quiet", onclick: close, "aria-label": "Close this message" }, "✕") : null,
  );
}

/** Run a task that a click started; its error goes into `place`. Returns whether it went well. */
export async function attempt(place, task) {
  fill(place);
  try {
    await task();
    return true;
  } catch (error) {
    if (error.code !== "ABORTED") show(place, error);
    return false;
  }
}

/** Put an error where it belongs; it can be closed. */
export function show(place, error) {
  fill(place, errorBox(error, { close: () => fill(place) }));
  place.scrollIntoView({ block: "nearest" });
}

/** Ask before something that cannot be undone. */
export function confirmed(question, yes = "Delete") {
  const dialog = byId("confirm");
  byId("confirm-text").textContent = question;
  byId("confirm-yes").textContent = yes;
  return new Promise((resolve) => {
    const answer = (value) => {
      dialog.close();
      resolve(value);
    };
    byId("confirm-yes").onclick = () => answer(true);
    byId("confirm-no").onclick = () => answer(false);
    dialog.oncancel = () => resolve(false);
    dialog.showModal();
    byId("confirm-no").focus();
  });
}

function sentence(text) {
  const first = /^[a-z]+:/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1); // addresses stay
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
