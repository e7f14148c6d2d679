// Calibrating an instrument from the scan of a pure, well-crystallised standard.

import { api, upload } from "./api.js";
import { byId, fill, h } from "./dom.js";
import { dropZone } from "./drop_zone.js";
import { announce, attempt } from "./notices.js";
import { radiationTitle, radiations } from "./radiations.js";
import { ended, watchJob } from "./job_watch.js";
import { renewJobs } from "./jobs.js";

let scan = null;

/** The form; `use(id)` gets the instrument that was made. */
export function mountCalibration(place, use) {
  fill(
    place,
    h("p", { class: "hint" }, "Measure a pure, well-crystallised substance (corundum, LaB6, silicon) on your instrument, as you measure samples."),
    dropZone({ title: "Scan of the standard", accept: "", take: (files) => takeStandard(files[0]), small: true, id: "standard-drop" }),
    h("p", { id: "standard-scan", class: "name" }),
    h("form", { onsubmit: (event) => { event.preventDefault(); start(use); } },
      h("label", { for: "standard-phase" }, "Its phase"),
      h("select", { id: "standard-phase" }),
      h("label", { for: "standard-radiation" }, "Radiation"),
      h("select", { id: "standard-radiation" }),
      h("label", { for: "standard-name" }, "Name of the instrument"),
      h("input", { id: "standard-name", placeholder: "our diffractometer", maxlength: "80", autocomplete: "off" }),
      h("button", { type: "submit", id: "calibrate" }, "Calibrate")),
    h("div", { id: "calibration-state", "aria-live": "polite" }),
  );
  byId("calibration").addEventListener("toggle", choices, { once: true });
}

async function choices() {
  await attempt(byId("calibration-state"), async () => {
    const phases = await api.phases("");
    const usual = phases.some((phase) => phase.id === "corundum") ? "corundum" : phases[0]?.id;
    fill(byId("standard-phase"), phases.map((phase) => h("option", { value: phase.id, selected: phase.id === usual }, phase.name)));
    renderRadiations();
  });
}

function renderRadiations() {
  fill(byId("standard-radiation"),
    h("option", { value: "" }, scan?.radiation ? `as the file says (${radiationTitle(scan.radiation)})` : scan ? "choose: the file does not say" : "as the file says"),
    radiations().map((one) => h("option", { value: one.id }, radiationTitle(one.id))));
}

async function takeStandard(file) {
  if (!file) return;
  await attempt(byId("calibration-state"), async () => {
    scan = await upload("api/scans", file);
    byId("standard-scan").textContent = scan.file;
    renderRadiations();
  });
}

async function start(use) {
  const state = byId("calibration-state");
  const radiation = byId("standard-radiation").value || null;
  await attempt(state, async () => {
    if (!scan) throw Object.assign(new Error("There is no scan of the standard yet"), { remedy: "Drop it above." });
    if (!radiation && !scan.radiation) {
      throw Object.assign(new Error("The file does not name its wavelength"), { remedy: "Choose the radiation." });
    }
    const job = await api.start({
      kind: "calibration", scan: scan.id, phase: byId("standard-phase").value, instrument: null, radiation,
      name: byId("standard-name").value.trim() || "our diffractometer",
    });
    fill(state, h("p", { class: "row" }, h("span", { class: "spinner", "aria-hidden": "true" }), "Calibrating …"));
    byId("calibrate").disabled = true;
    renewJobs();
    watchJob(job.id, (now, stop) => {
      if (!ended(now)) return;
      stop();
      byId("calibrate").disabled = false;
      renewJobs();
      finish(state, now, use);
    });
  });
}

function finish(state, job, use) {
  attempt(state, async () => {
    if (job.state !== "done") throw Object.assign(new Error(job.error?.message ?? `The calibration was ${job.state}`), job.error ?? {});
    await use(job.instrument);
    fill(state, h("p", { class: "box good" }, "Calibrated. The instrument is chosen above and stays in the list."));
    announce("Calibrated");
  });
}
