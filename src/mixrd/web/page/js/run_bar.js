// The bar that says what will be analysed, what is missing, and starts it.

import { api } from "./api.js";
import { byId, fill, h } from "./dom.js";
import { clearDraft, draft, missing, onDraft, wantedJob } from "./draft.js";
import { listed, plural } from "./format.js";
import { instrumentTitle } from "./instrument.js";
import { attempt } from "./notices.js";

export function mountRunBar() {
  fill(
    byId("run"),
    h("p", { class: "grow", id: "run-summary", "aria-live": "polite" }),
    h("button", { type: "button", class: "quiet", id: "run-clear", onclick: clearDraft }, "Clear"),
    h("button", { type: "button", class: "primary", id: "run-start", "aria-describedby": "run-summary", onclick: start }, "Run analysis"),
    h("div", { id: "run-errors", class: "whole" }),
  );
  onDraft(render);
}

function render() {
  const wanted = missing();
  const summary = byId("run-summary");
  const text = wanted.length ? `Still to do: ${listed(wanted.map((one) => one.text))}.` : ready();
  if (summary.textContent !== text) summary.textContent = text;
  byId("run-start").setAttribute("aria-disabled", String(wanted.length > 0));
  byId("run-clear").hidden = draft.scans.length + draft.phases.length === 0 && !draft.model;
  for (const step of ["scans", "phases", "instrument"]) {
    const done = !wanted.some((one) => one.step === step) && (step !== "instrument" || draft.scans.length > 0);
    byId(`step-${step}`).classList.toggle("done", done);
  }
}

function ready() {
  const instrument = draft.instrument ? instrumentTitle(draft.instrument) : "generic instrument";
  const phases = draft.phases.length || !draft.model ? plural(draft.phases.length, "phase") : "the network's phases";
  return `Ready: ${plural(draft.scans.length, "scan")}, ${phases}, ${instrument}.`;
}

async function start() {
  const [first] = missing();
  if (first) { // lead there instead of refusing in silence
    const where = { scans: "scan-drop", phases: "phase-search", instrument: "radiation" }[first.step] ?? first.field;
    if (first.step === "options") byId("options-card").open = true;
    byId(where)?.focus();
    return;
  }
  const button = byId("run-start");
  button.disabled = true;
  await attempt(byId("run-errors"), async () => {
    const job = await api.start(wantedJob());
    window.location.hash = `job=${job.id}`;
  });
  button.disabled = false;
}
