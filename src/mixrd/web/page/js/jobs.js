// The list of earlier jobs.

import { api } from "./api.js";
import { byId, fill, h } from "./dom.js";
import { moment } from "./format.js";
import { ended, STATES } from "./job_watch.js";
import { attempt, confirmed } from "./notices.js";

const EVERY = 3000; // ms between looks while something runs and the list is in sight

let timer = 0;

/** Look at the list anew, and keep looking while it is in sight and something runs. */
export async function renewJobs() {
  window.clearTimeout(timer);
  const place = byId("jobs");
  if (place.closest("[hidden]")) return;
  let running = true;
  try {
    const jobs = await api.jobs();
    running = jobs.some((job) => !ended(job));
    render(place, jobs);
  } catch (error) {
    if (!place.children.length) fill(place, h("p", { class: "hint" }, error.message));
  }
  if (running) timer = window.setTimeout(renewJobs, EVERY);
}

function render(place, jobs) {
  const focused = document.activeElement?.dataset?.key ?? null;
  if (!jobs.length) {
    fill(place, h("p", { class: "empty" }, "None yet. What you analyse is kept here, also when mixrd is stopped and started again."));
    return;
  }
  fill(
    place,
    h("div", { id: "jobs-errors" }),
    h("ul", { class: "job-list" }, jobs.map((job) => h(
      "li",
      { class: "job-row" },
      h("a", { class: "grow", href: `#job=${job.id}`, "data-key": `open-${job.id}` }, job.title || job.id,
        job.kind === "calibration" ? h("span", { class: "tag" }, "calibration") : null),
      h("span", { class: "hint" }, moment(job.created)),
      chip(job),
      ["interrupted", "cancelled", "failed"].includes(job.state) ? act(job, "restart", "Start again", () => api.restart(job.id)) : null,
      ended(job) ? null : act(job, "cancel", "Cancel", () => api.cancel(job.id)),
      ended(job) ? act(job, "delete", "Delete", () => remove(job)) : null,
    ))),
  );
  if (focused) place.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

/** The state of a job as a coloured word. */
export function chip(job) {
  return h("span", { class: `state ${job.state}` }, STATES[job.state] ?? job.state);
}

function act(job, name, text, task) {
  return h("button", {
    type: "button", class: "quiet", "data-key": `${name}-${job.id}`, "aria-label": `${text}: ${job.title || job.id}`,
    onclick: async () => {
      await attempt(byId("jobs-errors"), task);
      await renewJobs();
    },
  }, text);
}

async function remove(job) {
  if (await confirmed(`Delete “${job.title || job.id}” with its results?`)) {
    await api.remove(job.id);
    byId("head-jobs").focus();
  }
}
