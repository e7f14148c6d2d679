// Warnings in plain words: a title here, meaning and remedy from the server (one source with report and documentation).

import { api } from "./api.js";

/** By code: what it says in a few words. */
export const TITLES = {
  ESTIMATES_DISAGREE: "Network and refinement disagree",
  NO_PHASE_FOUND: "None of the phases was found",
  LINE_SCATTER: "Single lines are too strong or too weak",
  PHASE_UNSURE: "This phase may not be there",
  NANOCRYSTALLINE: "Very small crystallites",
  CELL_OFF: "The cell is far from the structure",
  CELLS_ALL_OFF: "All cells are off alike",
  ZERO_SHIFT: "The zero shift is large",
  UNCERTAINTIES_TOO_LARGE: "The uncertainties are not those of the scan",
  NOT_CONVERGED: "The refinement did not settle",
  POOR_FIT: "The fit is poor",
  UNEXPLAINED_LINES: "Something else is in the scan",
  WRONG_WAVELENGTH: "The wavelength is probably wrong",
  WRONG_AXIS: "The axis is not what it seems",
  STRUCTURE_FILE: "The structure file raises doubts",
  BEAM_FROM_HEADER: "The beam is that of the header",
  KALPHA2_FROM_SCAN: "The scan tells which lines are in the beam",
  KALPHA2_MISMATCH: "Scan and instrument disagree about Kα2",
  TEXTURE: "The crystals do not lie at random",
  MICROABSORPTION: "The size of the grains matters",
  BEAM_OVERSPILL: "The beam is longer than the sample",
  NEGATIVE_AMORPHOUS: "Less than nothing is left to be amorphous",
  OUT_OF_RANGE: "Outside what the network knows",
  NEAR_ABSORPTION_EDGE: "Close to an absorption edge",
  AXIS_UNKNOWN: "The scanned axis is unknown",
  NOT_POWDER_GEOMETRY: "Not a powder measurement",
  FIXED_INCIDENCE: "The angle of incidence was fixed",
  SEVERAL_SCANS: "The file holds several scans",
  INCOMPLETE: "The scan was not finished",
  NO_HEADER: "The file has no measurement conditions",
  SHORT_RANGE: "The scan is short",
  REVERSED: "The scan ran backwards",
  DUPLICATES: "Points stood twice",
  COLUMN_IGNORED: "A column was not used",
  COLUMNS_SWAPPED: "The columns stood the other way round",
  AXIS_CONVERTED: "The axis was converted to 2θ",
  POINTS_MISSING: "Points are missing",
  ANGLE_OFF: "An angle is off its step",
  STEP_CHANGES: "The step changes within the scan",
  NOT_COUNTS: "The intensities are not counts",
  COUNTS_NOT_RATE: "Rates that scatter like counts",
  SMOOTHED: "The counts were smoothed or scaled",
  SATURATED: "The strongest lines are cut off",
  DEAD_POINTS: "Points without counts",
  SPIKES: "Lone points without flanks",
  RATE_TO_COUNTS: "Counts per second became counts",
  NEGATIVE_COUNTS: "Some intensities are negative",
  KALPHA2_REMOVED: "Kα2 lines were removed by software",
  ATTENUATED: "An absorber was in the beam",
  ATTENUATOR: "Attenuator factors were not applied",
  SIGMA_HUGE: "Some uncertainties are huge",
  SIGMA_ZERO: "Some uncertainties are zero",
  VARIABLE_COUNTING_TIME: "The time per step varies",
  SECOND_OPINION_DISAGREES: "A second program says otherwise",
  SECOND_OPINION_MISSING: "There is no second opinion",
  FAILED: "This sample could not be analysed",
};

let texts = new Map();

export async function loadWarnings() {
  texts = new Map((await api.warnings()).map((text) => [text.code, text]));
}

/** {title, severity, meaning, remedy, details} of a warning; an unknown code speaks for itself, as a doubt. */
export function explained(warning) {
  const { severity = "doubt", meaning = "", remedy = "", details = "" } = texts.get(warning.code) ?? {};
  const title = TITLES[warning.code] ?? warning.code.replaceAll("_", " ").toLowerCase();
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
