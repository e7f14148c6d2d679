// The REST interface of `mixrd serve`.

/** What the server refuses, with what to do about it. */
export class ApiError extends Error {
  constructor({ code = "ERROR", message, remedy = "", file = null }, status = 0) {
    super(message);
    this.code = code;
    this.remedy = remedy;
    this.file = file;
    this.status = status;
  }
}

const GONE = {
  code: "OFFLINE",
  message: "The server does not answer",
  remedy: "Check that `mixrd serve` still runs, then try again. Nothing that was started is lost.",
};
const SENDING_FAILED = {
  code: "UPLOAD_FAILED",
  message: "The file could not be sent",
  remedy: "The server closed the connection: the file may be too large, or the server has stopped.",
};
const ODD = { code: "ERROR", message: "The server answered with an error", remedy: "Try again; see its terminal for the cause." };

const listeners = new Set();

/** Call `listener(reachable)` after each answer, or its absence. */
export function onReachable(listener) {
  listeners.add(listener);
}

function reached(ok) {
  for (const listener of listeners) listener(ok);
}

/** Ask the server; returns the JSON of its answer. */
export async function request(method, path, body = undefined) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
    });
  } catch {
    reached(false);
    throw new ApiError(GONE);
  }
  reached(true);
  const text = await answer.text();
  return answered(answer.status, text);
}

/** Send a file as a form; `progress` gets 0-1. Aborted by `signal`. */
export function upload(path, file, { progress = () => {}, signal = null } = {}) {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    const form = new FormData();
    form.append("file", file, file.name);
    call.open("POST", path);
    call.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    call.onload = () => {
      reached(true);
      try {
        resolve(answered(call.status, call.responseText));
      } catch (error) {
        reject(error);
      }
    };
    call.onerror = () => reject(new ApiError({ ...SENDING_FAILED, file: file.name }));
    call.onabort = () => reject(new ApiError({ code: "ABORTED", message: "not sent" }));
    if (signal) signal.addEventListener("abort", () => call.abort());
    call.send(form);
  });
}

function answered(status, text) {
  let data = null;
  try {
    data = text === "" ? null : JSON.parse(text);
  } catch {
    if (status < 400) throw new ApiError(ODD, status);
  }
  if (status < 400) return data;
  if (data && data.error) throw new ApiError(data.error, status);
  if (status === 413) throw new ApiError({ code: "TOO_LARGE", message: "The file is too large" }, status);
  throw new ApiError({ ...ODD, message: `${ODD.message} (${status})` }, status);
}

const id = encodeURIComponent;

export const api = {
  health: () => request("GET", "api/health"),
  phases: (query = "") => request("GET", `api/phases?q=${id(query)}`),
  codPhase: (number) => request("POST", "api/phases/cod", { number }),
  instruments: () => request("GET", "api/instruments"),
  models: () => request("GET", "api/models"),
  radiations: () => request("GET", "api/radiations"),
  warnings: () => request("GET", "api/warnings"),
  example: () => request("POST", "api/scans/example"),
  scan: (scan) => request("GET", `api/scans/${id(scan)}`),
  jobs: (limit = 100) => request("GET", `api/jobs?limit=${limit}`),
  job: (job) => request("GET", `api/jobs/${id(job)}`),
  start: (wanted) => request("POST", "api/jobs", wanted),
  cancel: (job) => request("POST", `api/jobs/${id(job)}/cancel`),
  restart: (job) => request("POST", `api/jobs/${id(job)}/restart`),
  remove: (job) => request("DELETE", `api/jobs/${id(job)}`),
  curves: (job, index) => request("GET", `api/jobs/${id(job)}/results/${index}/curves`),
};

/** Addresses of what can be downloaded. */
export const address = {
  events: (job) => `api/jobs/${id(job)}/events`,
  report: (job) => `api/jobs/${id(job)}/report.html`,
  json: (job) => `api/jobs/${id(job)}/results.json`,
  csv: (job) => `api/jobs/${id(job)}/results.csv`,
  instrument: (instrument) => `api/instruments/${id(instrument)}.toml`,
  plot: (job, index) => `api/jobs/${id(job)}/results/${index}/plot.png`,
};
