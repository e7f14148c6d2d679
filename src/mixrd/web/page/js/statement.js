// What a result states: amounts, whether one candidate is there, or nothing. The words are those of report and terminal.

const ALONE = "one candidate alone: whether it is there, not how much";
const NONE = "no statement possible";

/** {kind, reason}; of results of older versions, too: one candidate is all of itself, however little it is. */
export function statementOf(analysis) {
  return analysis.statement ?? { kind: analysis.phases.length === 1 ? "presence" : "amounts", reason: "" };
}

/** Why no amounts are stated; "" where they are. */
export function statementText(analysis) {
  const { kind, reason } = statementOf(analysis);
  const why = reason.trim().replace(/\.$/, "");
  if (kind === "none") return why ? `${NONE}, because ${why}` : NONE;
  if (kind === "presence") return why ? `${ALONE}; ${why}` : ALONE;
  return "";
}

/** Whether a phase is there. */
export function presence(phase) {
  if (phase.detected === null || phase.detected === undefined) return "not tested";
  return phase.detected ? "there" : "not found";
}

/** What contents of the whole are contents of. */
export function wholeOf(method) {
  return method === "internal standard" ? "the sample before the standard was added" : "the whole sample";
}

/** As a sentence of its own. */
export function asSentence(text) {
  return text ? `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}` : "";
}
