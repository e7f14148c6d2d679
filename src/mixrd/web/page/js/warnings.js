// Warnings in plain words, all from the server (one source with report and documentation).

import { api } from "./api.js";

let texts = new Map();

export async function loadWarnings() {
  texts = new Map((await api.warnings()).map((text) => [text.code, text]));
}

/** {title, severity, meaning, remedy, details} of a warning; an unknown code speaks for itself, as a doubt. */
export function explained(warning) {
  const named = warning.code.replaceAll("_", " ").toLowerCase();
  const { title = named, severity = "doubt", meaning = "", remedy = "", details = "" } = texts.get(warning.code) ?? {};
  return { title, severity, meaning, remedy, details };
}

/** What stops, then what is doubtful, then remarks. */
export function sorted(warnings) {
  const rank = { stop: 0, doubt: 1, note: 2 };
  return [...warnings].sort((a, b) => rank[explained(a).severity] - rank[explained(b).severity]);
}

/** "stop", "doubt" or "note": the gravest of these; "" without any. */
export function gravest(warnings) {
  return warnings.length ? explained(sorted(warnings)[0]).severity : "";
}
