// Following a job: server-sent events, and asking now and then while they fail.

import { address, api } from "./api.js";

const AGAIN = 1500; // ms

/**
 * Call `seen(job, stop)` now and at each change, until `stop()`, which is returned too.
 * `lost(error)` is called when the job does not exist (any more).
 */
export function watchJob(id, seen, lost = () => {}) {
  let source = null;
  let timer = 0;
  let stopped = false;
  const stop = () => {
    stopped = true;
    source?.close();
    window.clearTimeout(timer);
  };
  const ask = async () => {
    try {
      const job = await api.job(id);
      if (stopped) return;
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
      const job = JSON.parse(event.data);
      seen(job, stop);
      if (ended(job)) source.close();
    };
    source.onerror = () => { // the server has gone, or ends the stream
      source.close();
      if (!stopped) timer = window.setTimeout(ask, AGAIN);
    };
  };
  ask();
  return stop;
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
