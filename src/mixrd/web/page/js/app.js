// The page: which view is shown, and what is loaded at the start.

import { api, onReachable } from "./api.js";
import { byId } from "./dom.js";
import { draft, recall } from "./draft.js";
import { takeEverywhere } from "./drop_zone.js";
import { loadInstruments, mountInstrument } from "./instrument.js";
import { closeJob, openJob } from "./job.js";
import { renewJobs } from "./jobs.js";
import { takeNetwork } from "./network_file.js";
import { announce, show } from "./notices.js";
import { mountOptions } from "./options.js";
import { mountPhases, takeCifs } from "./phases.js";
import { loadRadiations } from "./radiations.js";
import { mountRunBar } from "./run_bar.js";
import { loadWarnings } from "./warnings.js";
import { limitUploads, mountScans, renewScans, takeScans } from "./scans.js";

const TITLE = "mixrd: how much of each phase is in this sample?";
const LOOK_AGAIN = 2500; // ms

let started = false;

/** The view that the address names: #job=ID&scan=N, #jobs, or a new analysis. */
function route() {
  const asked = new URLSearchParams(window.location.hash.slice(1));
  const job = asked.get("job");
  byId("setup").hidden = job !== null;
  byId("job").hidden = job === null;
  if (job === null) byId("nav-new").setAttribute("aria-current", "page");
  else byId("nav-new").removeAttribute("aria-current");
  if (job !== null) {
    const scan = asked.get("scan");
    openJob(job, scan === null ? null : Number(scan), again);
    return;
  }
  closeJob();
  document.title = TITLE;
  renewJobs();
  if (started) loadInstruments().catch(() => {});
  if (asked.has("jobs")) {
    byId("jobs-card").scrollIntoView();
    byId("head-jobs").focus({ preventScroll: true });
  }
}

/** Choose again what a job was asked, with one more phase of the catalog if `extra` names it. */
async function again(job, extra = null) {
  const asked = job.request;
  const known = async (ids) => (await Promise.allSettled(ids.map((id) => api.scan(id)))).flatMap((a) => (a.status === "fulfilled" ? [a.value] : []));
  const scans = await known(asked.scans);
  const catalog = await api.phases("");
  const names = job.results?.find((result) => result.analysis)?.analysis.phases.map((p) => p.name) ?? [];
  // One more phase is not in the network that was given.
  const model = asked.model && !extra ? (await api.models()).find((one) => one.id === asked.model) ?? null : null;
  const before = asked.phases.length || model ? asked.phases : names;
  const ids = extra && !before.includes(extra) ? [...before, extra] : before;
  const phases = ids.map((id, i) => catalog.find((phase) => phase.id === id) ?? { id, name: names[i] ?? id, formula: "" });
  const [external = null] = await known([asked.external_standard?.scan].filter(Boolean));
  const glasses = await known((asked.amorphous ?? []).map((part) => part.scan).filter(Boolean));
  recall(asked, { scans, phases, external, glasses, model });
  window.location.hash = "";
  announce("Chosen as before. Change what you want and run.");
  byId("main").focus();
}

/** Files dropped anywhere on the page. */
function take(files) {
  if (byId("setup").hidden) window.location.hash = "";
  const [cifs, networks] = [".cif", ".mixrd"].map((ending) => files.filter((file) => file.name.toLowerCase().endsWith(ending)));
  const others = files.filter((file) => !cifs.includes(file) && !networks.includes(file));
  if (others.length) takeScans(others);
  if (cifs.length) takeCifs(cifs);
  if (networks.length) {
    byId("options-card").open = true;
    takeNetwork(networks[0]);
  }
}

/** A band at the top while the server does not answer. */
function watchServer() {
  let timer = 0;
  onReachable((ok) => {
    const banner = byId("offline");
    if (ok && !banner.hidden) renewJobs();
    banner.hidden = ok;
    banner.textContent = ok ? "" : "The server does not answer. Is `mixrd serve` still running? Trying again …";
    window.clearTimeout(timer);
    if (!ok) timer = window.setTimeout(() => (started ? api.health().catch(() => {}) : begin()), LOOK_AGAIN);
  });
}

async function begin() {
  try {
    const health = await api.health();
    byId("version").textContent = health.version;
    limitUploads(health.max_upload_bytes, health.scan_endings);
    await Promise.all([loadRadiations(), loadWarnings()]);
  } catch (error) {
    if (error.code !== "OFFLINE") show(byId("run-errors") ?? byId("main"), error);
    return;
  }
  if (started) return;
  started = true;
  mountScans();
  mountPhases();
  mountOptions();
  mountRunBar();
  mountInstrument().catch((error) => show(byId("instrument-errors"), error));
  takeEverywhere(take);
  if (draft.scans.length) renewScans();
  route();
  window.addEventListener("hashchange", route);
}

watchServer();
begin();
