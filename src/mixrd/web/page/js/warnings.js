// Warnings in plain words: what it means and what to do. Longer texts: docs/warnings.md (a test compares the codes).

/** By code: [title, explanation, grave]. Grave ones put the fractions in doubt and stand above them. */
export const WARNINGS = {
  ESTIMATES_DISAGREE: ["Network and refinement disagree", "They differ by more than 10 wt% in this phase; the answer is the refined value. Often a phase is missing from the candidates, or the lines are broader or narrower than the instrument says. If the fit in the plot follows the data, trust it; if not, calibrate the instrument or add the missing phase.", true],
  NO_PHASE_FOUND: ["None of the phases was found", "No line of any candidate stands out, so these fractions mean nothing. Check the candidates, the wavelength, and that the scan is that of the sample.", true],
  NOT_CONVERGED: ["The refinement did not settle", "It still improved when its steps ran out. Often two candidates have nearly the same lines, or a candidate is absent: leave out candidates that the plot shows to be absent.", true],
  POOR_FIT: ["The fit is poor", "It misses the data by more than five times what counting noise explains. Look at the difference curve: peaks in it belong to an unknown phase; up and down at every peak is a wrong profile (calibrate the instrument) or wavelength; some peaks too high and others too low are texture or large grains. With very many counts it can be harmless.", true],
  UNEXPLAINED_LINES: ["Something else is in the sample", "The scan has lines that belong to none of the chosen phases, marked with ? in the plot. Fractions are then only those among the chosen phases. Add the missing phase and analyse again; a suggestion comes from line positions only, so check that it makes chemical sense.", true],
  WRONG_WAVELENGTH: ["The wavelength is probably wrong", "The lines would be where the peaks are if another tube had measured the scan. Nothing in this result can be used: find out which tube it was, and analyse again with it.", true],
  TEXTURE: ["The crystals are not at random", "Plates and needles lie flat in the holder; that was found and corrected with a simple model, so the fractions are less sure. Fill the holder from the side or the back, grind finer, spin the sample.", false],
  MICROABSORPTION: ["The grain size matters", "The phases absorb the beam so differently that coarse grains distort the result: a strong absorber appears to be less than it is. Grind finer, give particle sizes (options), or use harder radiation.", false],
  NEGATIVE_AMORPHOUS: ["Less than nothing is left to be amorphous", "The crystalline phases add up to more than the whole. Often the standard absorbs more than the sample (give particle sizes), its percentage is not the weighed one, or the sample holds some of it itself. A few wt% mean that no amorphous part was found.", true],
  OUT_OF_RANGE: ["Outside what the network knows", "The sample lies outside what the network was trained on, so its estimate is not to be trusted. The refinement does not depend on it once it has converged.", true],
  RANGE_CUT: ["An end of the scan was not used", "It lies outside the range of the instrument. Nothing is wrong; widen the range in the instrument's file if the diffractometer can be trusted that far.", false],
  NEAR_ABSORPTION_EDGE: ["Close to an absorption edge", "The wavelength lies within 1 % of an absorption edge of an element of this phase: its intensities, and so its fraction, are less certain than stated. Another tube avoids it.", false],
  AXIS_UNKNOWN: ["The scanned axis is unknown", "The file calls its axis something that mixrd does not know; it was taken for 2θ. If it is not, the result means nothing.", true],
  NOT_POWDER_GEOMETRY: ["Not a powder measurement", "The scanned axis is one used for films and single crystals, whose intensities do not tell weight fractions: they can be far off.", true],
  FIXED_INCIDENCE: ["The angle of incidence was fixed", "Absorption and the illuminated area then depend on the angle in another way than is calculated: phases with peaks at low and at high angles are not weighed alike.", false],
  SEVERAL_SCANS: ["The file holds several scans", "The first was read.", false],
  INCOMPLETE: ["The scan was not finished", "The file says that it was aborted. What is there was analysed.", false],
  NO_HEADER: ["The file has no measurement conditions", "Wavelength, anode and counting time are not known from it.", false],
  SHORT_RANGE: ["The scan is short", "Few peaks say little about background, cells and texture: uncertainties are larger than stated.", false],
  REVERSED: ["The scan ran backwards", "It was turned round. Nothing to do.", false],
  DUPLICATES: ["Points stood twice", "They were dropped. Nothing to do.", false],
  COLUMN_IGNORED: ["A column was not used", "It is not the uncertainty of the intensities. Check that angle and intensity are the columns that were read.", false],
  NOT_COUNTS: ["The intensities are not counts", "They were scaled, smoothed or corrected. Fractions are usable; uncertainties are guesses. Export raw counts if you can.", false],
  RATE_TO_COUNTS: ["Counts per second became counts", "They were multiplied by the counting time of the header. Nothing to do.", false],
  NEGATIVE_COUNTS: ["Some intensities are negative", "A background, or the Kα2 lines, were taken off before. Analyse the raw scan instead.", false],
  KALPHA2_REMOVED: ["Kα2 lines were removed by software", "The instrument should then have Kα1 alone (radiation CuKa1); better, analyse the raw scan.", false],
  ATTENUATED: ["An absorber was in the beam", "The intensities were corrected, and their uncertainties take it into account.", false],
  ATTENUATOR: ["Attenuator factors were not applied", "If the intensities were not corrected when they were saved, peaks behind the attenuator are too low.", false],
  SIGMA_ZERO: ["Some uncertainties are zero", "The smallest other uncertainty was used for them.", false],
  VARIABLE_COUNTING_TIME: ["The time per step varies", "If the file holds plain counts, steps that were measured longer look stronger than they are: save counts per second with their uncertainties instead.", false],
  FAILED: ["This sample could not be analysed", "The message says why.", true],
};

/** {title, text, grave} of a warning; an unknown code speaks for itself. */
export function explained(warning) {
  const [title, text, grave] = WARNINGS[warning.code] ?? [warning.code.replaceAll("_", " ").toLowerCase(), "", false];
  return { title, text, grave };
}

/** Grave warnings first; those of one code together. */
export function sorted(warnings) {
  return [...warnings].sort((a, b) => Number(explained(b).grave) - Number(explained(a).grave));
}
