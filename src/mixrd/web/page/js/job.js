// One job: progress while it runs, results when there are some.

import { address, api } from "./api.js";
import { calibrationView } from "./calibration_view.js";
import { compareView } from "./compare.js";
import { byId, fill, h } from "./dom.js";
import { moment, plural } from "./format.js";
import { sentences } from "./fractions.js";
import { ended, watchJob } from "./job_watch.js";
import { chip } from "./jobs.js";
import { announce, attempt, confirmed, errorBox } from "./notices.js";
import { progressView } from "./progress.js";
import { resultView } from "./result.js";

let stop = () => {};
let view = null; // the result or comparison that is shown
let progress = null;
let drawn = ""; // what `view` was made from
let last = null; // the job as last seen
let wanted = null; // index of the result to show, null: comparison if there are several
let announced = "";

/** Show a job; `again(job, extra)` chooses anew what it was asked, with a further phase. */
export function openJob(id, index, again) {
  wanted = index;
  if (last?.id === id && view) { // another result of the same job
    render(last, again);
    return;
  }
  closeJob();
  wanted = index;
  fill(byId("job"), h("p", { class: "row hint" }, h("span", { class: "spinner", "aria-hidden": "true" }), "Loading …"));
  stop = watchJob(id, (job) => render(job, again), (error) => fill(byId("job"), h("a", { href: "#" }, "← New analysis"), errorBox(error)));
}

export function closeJob() {
  stop();
  view?.destroy();
  progress?.end();
  view = progress = last = null;
  drawn = announced = "";
}

function render(job, again) {
  const place = byId("job");
  if (last?.id !== job.id) {
    fill(place, h("div", { id: "job-head" }), h("div", { id: "job-error" }), h("div", { id: "job-progress" }),
      h("div", { id: "job-pick" }), h("div", { id: "job-result" }));
  }
  const opened = last === null;
  const changed = opened || last.state !== job.state || last.id !== job.id;
  last = job;
  if (changed) {
    renderHead(job, again);
    document.title = `${job.title || "Analysis"}, ${job.state} – mixrd`;
  }
  if (opened) { // what had the focus is hidden now
    window.scrollTo(0, 0);
    byId("job-name").focus({ preventScroll: true });
  }
  if (ended(job)) {
    progress?.end();
    progress = null;
  } else {
    progress ??= progressView(byId("job-progress"));
    progress.show(job);
  }
  if (changed) renderEnd(job);
  renderResults(job, again);
}

function renderHead(job, again) {
  const errors = h("div", { id: "job-errors" });
  const act = (text, task, kind = "") => h("button", { type: "button", class: kind, onclick: () => attempt(errors, task) }, text);
  const results = (job.results ?? []).some((result) => result.analysis);
  const focused = document.activeElement?.closest?.("#job-head") !== null;
  fill(
    byId("job-head"),
    h("p", {}, h("a", { href: "#" }, "← New analysis")),
    h("div", { class: "row wrap job-title" },
      h("h1", { class: "grow", id: "job-name", tabindex: "-1" }, job.title || "Analysis"), chip(job),
      h("span", { class: "hint" }, moment(job.created))),
    h("div", { class: "row wrap actions" },
      ended(job) ? null : act("Cancel", () => api.cancel(job.id), "danger"),
      job.kind === "analysis" && results && ended(job) ? [
        h("a", { class: "button primary", href: address.report(job.id), download: "", id: "get-report" }, "Report"),
        h("a", { class: "button", href: address.json(job.id), download: "", id: "get-json" }, "JSON"),
        h("a", { class: "button", href: address.csv(job.id), download: "", id: "get-csv" }, "CSV")] : null,
      ["interrupted", "cancelled", "failed"].includes(job.state) ? act("Start again", async () => restart(job, again), "primary") : null,
      job.kind === "analysis" ? act("Change and run again", () => again(job)) : null,
      ended(job) ? act("Delete", () => remove(job)) : null),
    errors,
  );
  if (focused) byId("job-name").focus();
}

async function restart(job, again) {
  await api.restart(job.id);
  closeJob();
  openJob(job.id, null, again);
}

async function remove(job) {
  if (!(await confirmed(`Delete “${job.title || job.id}” with its results?`))) return;
  await api.remove(job.id);
  window.location.hash = "jobs";
}

/** How it ended, where there is more to say than its results. */
function renderEnd(job) {
  const place = byId("job-error");
  fill(place);
  if (job.state === "failed") fill(place, errorBox(job.error ?? { message: "The analysis failed" }));
  if (job.state === "cancelled") fill(place, h("p", { class: "box note" }, "Cancelled. A training that had begun is kept: starting again goes on from there."));
  if (job.state === "interrupted") {
    fill(place, h("p", { class: "box warn", role: "alert" }, "The server was stopped while this ran. Start it again: what was trained is kept."));
  }
}

function renderResults(job, again) {
  if (job.kind === "calibration") {
    if (job.state === "done" && job.instrument && drawn !== "calibration") {
      drawn = "calibration";
      view = calibrationView(byId("job-result"), job);
      announce("The instrument is calibrated");
    }
    return;
  }
  const results = job.results ?? [];
  const finished = results.filter((result) => result.analysis || result.status === "failed");
  if (!finished.length) {
    if (drawn) clearResults();
    return;
  }
  const many = job.request.scans.length > 1;
  const index = wanted !== null && results.some((r) => r.index === wanted && finished.includes(r)) ? wanted : many ? null : finished[0].index;
  const state = index === null ? `all ${finished.length} ${ended(job)}` : `one ${index}`;
  renderPick(job, finished, index, many);
  if (state !== drawn) {
    view?.destroy();
    drawn = state;
    const place = byId("job-result");
    const position = results.findIndex((r) => r.index === index);
    view = index === null
      ? compareView(place, { ...job, results: finished }, (i) => { window.location.hash = `job=${job.id}&scan=${i}`; }, ended(job))
      : resultView(place, job, position, (name) => again(job, name));
  }
  if (ended(job) && announced !== job.id) {
    announced = job.id;
    announce(finished.length === 1 && finished[0].analysis ? sentences(finished[0].analysis).join(" ") : `${plural(finished.length, "scan")} ${finished.length === 1 ? "is" : "are"} analysed`);
  }
}

function clearResults() {
  view?.destroy();
  view = null;
  drawn = "";
  fill(byId("job-pick"));
  fill(byId("job-result"));
}

/** Which of several scans is shown. */
function renderPick(job, finished, index, many) {
  const place = byId("job-pick");
  const key = `${finished.length} ${index}`;
  if (!many || place.dataset.key === key) return;
  place.dataset.key = key;
  const go = (value) => { window.location.hash = value === "" ? `job=${job.id}` : `job=${job.id}&scan=${value}`; };
  const at = finished.findIndex((result) => result.index === index);
  const step = (text, label, to) => h("button", { type: "button", class: "small", "aria-label": label, disabled: !finished[to], onclick: () => go(String(finished[to].index)) }, text);
  fill(place, h("div", { class: "row wrap pick" },
    h("label", { for: "pick" }, "Show"),
    h("select", { id: "pick", onchange: (event) => go(event.target.value) },
      h("option", { value: "", selected: index === null }, `all scans, compared (${finished.length}${finished.length < job.request.scans.length ? ` of ${job.request.scans.length}` : ""})`),
      finished.map((result) => h("option", { value: String(result.index), selected: result.index === index }, result.file))),
    index === null ? null : [step("←", "Previous scan", at - 1), step("→", "Next scan", at + 1)]));
}
