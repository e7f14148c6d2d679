// Following a job: server-sent events, and asking now and then while they fail.

import { address, api } from "./api.js";

const AGAIN = 1500; // ms
const APART = 2000; // ms between two questions for all results

/**
 * Call `seen(job, stop)` now and at each change, until `stop()`, which is returned too.
 * `lost(error)` is called when the job does not exist (any more).
 */
export function watchJob(id, seen, lost = () => {}) {
  let source = null;
  let timer = 0;
  let stopped = false;
  let whole = { results: [] }; // as last asked for, with analyses
  let asked = 0;
  const stop = () => {
    stopped = true;
    source?.close();
    window.clearTimeout(timer);
  };
  const ask = async () => {
    try {
      asked = Date.now();
      const job = await api.job(id);
      if (stopped) return;
      whole = job;
      seen(job, stop);
      if (!stopped && !ended(job)) listen();
    } catch (error) {
      if (stopped) return;
      if (error.status >= 400 && error.status < 500) lost(error);
      else timer = window.setTimeout(ask, AGAIN);
    }
  };
  const listen = () => {
    source = new EventSource(address.events(id));
    source.onmessage = (event) => {
      const job = JSON.parse(event.data); // without its analyses
      const more = finished(job) > finished(whole);
      if (ended(job) || (more && Date.now() - asked > APART)) {
        source.close();
        ask();
      } else {
        seen({ ...job, results: whole.results }, stop);
      }
    };
    source.onerror = () => { // the server has gone, or ends the stream
      source.close();
      if (!stopped) timer = window.setTimeout(ask, AGAIN);
    };
  };
  ask();
  return stop;
}

function finished(job) {
  return (job.results ?? []).length;
}

export function ended(job) {
  return ["done", "failed", "cancelled", "interrupted"].includes(job.state);
}

/** States in words. */
export const STATES = {
  queued: "waiting",
  training: "training",
  analysing: "analysing",
  calibrating: "calibrating",
  done: "done",
  failed: "failed",
  cancelled: "cancelled",
  interrupted: "interrupted",
};
