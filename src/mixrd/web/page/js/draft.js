// What is chosen for the next analysis. Kept for this tab, so that a reload loses nothing.

const KEY = "mixrd-draft";
const EMPTY = {
  scans: [],        // as the server describes them
  phases: [],       // entries of the catalog, or of the user's CIFs
  instrument: null, // id; null: generic, from radiation or the file's header
  radiation: null,  // id, where no instrument is chosen
  method: "both",   // "both", "refine", "network"
  size: "",         // diameter of the particles in micrometres, as typed
  grinding: "",     // where the size is not known: "by-hand", "mccrone", "as-received"
  exclude: "",      // regions in degrees that the refinement leaves out, as typed: "26.2-27.1 44-45"
  humps: "",        // of glass or polymer, as typed: "22:8" is 8 degrees wide at 22
  glasses: [],      // scans of amorphous parts: id and file of each
  model: null,      // a trained network: id and title
  second: false,    // whether rietx refines it too
  standard: { phase: "", percent: "" },
  external: { phase: "", scan: null, formula: "" }, // scan as the server describes it; formula of the amorphous part
};

export const draft = { ...structuredClone(EMPTY), ...stored() };

const listeners = new Set();

/** Call `listener(draft)` now and after each change. */
export function onDraft(listener) {
  listeners.add(listener);
  listener(draft);
}

export function change(changes) {
  Object.assign(draft, changes);
  forgetAbsent();
  try {
    const light = { ...draft, scans: draft.scans.map(({ preview, ...rest }) => rest) };
    if (draft.external.scan) light.external = { ...draft.external, scan: { id: draft.external.scan.id, file: draft.external.scan.file } };
    window.sessionStorage.setItem(KEY, JSON.stringify(light));
  } catch {
    /* storage is full or forbidden: a reload then begins anew */
  }
  for (const listener of listeners) listener(draft);
}

export function clearDraft() {
  change(structuredClone(EMPTY));
}

/** The tube that the chosen files name; null if one of them names none, undefined if they differ. */
export function namedRadiation() {
  const named = [...new Set(draft.scans.map((scan) => scan.radiation))];
  if (named.length === 0 || named.includes(null)) return null;
  return named.length === 1 ? named[0] : undefined;
}

/** Regions as numbers, from text such as "26.2-27.1, 44–45". */
function regions() {
  return draft.exclude.split(/[\s,;]+/).filter(Boolean).map((text) => text.split(/[-–]/).map(Number));
}

/** What still has to be chosen, in words, with the step that it belongs to. */
export function missing() {
  const wanted = [];
  if (draft.scans.length === 0) wanted.push({ step: "scans", text: "drop a scan" });
  if (draft.phases.length === 0 && !draft.model) wanted.push({ step: "phases", text: "choose the phases" });
  if (draft.scans.length > 0 && namedRadiation() === null && !draft.instrument && !draft.radiation) {
    wanted.push({ step: "instrument", text: "choose an instrument, or the radiation: the file does not name its wavelength" });
  }
  const { phase, percent } = draft.standard;
  if (phase && !(Number(percent) > 0 && Number(percent) < 100)) {
    wanted.push({ step: "options", field: "internal-percent", text: "say how much of the internal standard was weighed in (wt%)" });
  }
  if (draft.external.phase && !draft.external.scan) {
    wanted.push({ step: "options", field: "external-drop", text: "drop the scan of the external standard" });
  }
  if (draft.external.phase && phase) {
    wanted.push({ step: "options", field: "external-standard", text: "choose one standard only, internal or external" });
  }
  if (draft.size !== "" && !(Number(draft.size) > 0)) {
    wanted.push({ step: "options", field: "particle-size", text: "give the particle size in µm, above 0" });
  }
  if (!regions().every((region) => region.length === 2 && region[0] < region[1] && region[1] <= 180)) {
    wanted.push({ step: "options", field: "exclude", text: "write regions to leave out as two angles, such as 26.2-27.1" });
  }
  if (draft.model && draft.method === "refine") {
    wanted.push({ step: "options", field: "method-both", text: "choose a method with the network, or take no trained network" });
  }
  const refined = phase || draft.external.phase || draft.size !== "" || draft.grinding || draft.exclude || draft.humps || draft.glasses.length || draft.second;
  if (draft.method === "network" && refined) {
    wanted.push({ step: "options", field: "method-both", text: "choose a method with refinement: a standard, a particle size, a grinding, regions left out, humps and a second opinion need it" });
  }
  return wanted;
}

/** The body of POST api/jobs. */
export function wantedJob() {
  return {
    kind: "analysis",
    scans: draft.scans.map((scan) => scan.id),
    phases: draft.phases.map((phase) => phase.id),
    model: draft.model?.id ?? null,
    instrument: draft.instrument,
    radiation: draft.instrument ? null : draft.radiation,
    network: draft.method !== "refine",
    refine: draft.method !== "network",
    particle_size_um: draft.size === "" ? null : Number(draft.size),
    grinding: draft.size === "" && draft.grinding ? draft.grinding : null,
    exclude: regions(),
    amorphous: [...(draft.humps ? [{ humps: draft.humps }] : []), ...draft.glasses.map(({ id }) => ({ scan: id }))],
    second_opinion: draft.second ? "rietx" : null,
    standard: draft.standard.phase
      ? { phase: draft.standard.phase, percent: Number(draft.standard.percent) } : null,
    external_standard: draft.external.phase
      ? { phase: draft.external.phase, scan: draft.external.scan.id, amorphous_formula: draft.external.formula || null } : null,
  };
}

/** Choose anew what an earlier job was asked; scans, phases and the network as the server describes them. */
export function recall(asked, { scans, phases, external, glasses, model }) {
  change({
    scans,
    phases,
    instrument: asked.instrument ?? null,
    radiation: asked.radiation ?? null,
    method: asked.network === false ? "refine" : asked.refine === false ? "network" : "both",
    size: asked.particle_size_um ? String(asked.particle_size_um) : "",
    grinding: asked.grinding ?? "",
    exclude: (asked.exclude ?? []).map((region) => region.join("-")).join(" "),
    humps: (asked.amorphous ?? []).map((part) => part.humps).filter(Boolean).join(","),
    glasses: glasses.map(({ id, file }) => ({ id, file })),
    model: model && { id: model.id, title: model.title },
    second: asked.second_opinion === "rietx",
    standard: asked.standard
      ? { phase: asked.standard.phase, percent: String(asked.standard.percent) } : { phase: "", percent: "" },
    external: asked.external_standard && external
      ? { phase: asked.external_standard.phase, scan: { id: external.id, file: external.file }, formula: asked.external_standard.amorphous_formula ?? "" }
      : structuredClone(EMPTY.external),
  });
}

/** A standard that is no longer among the phases. */
function forgetAbsent() {
  const ids = new Set(draft.phases.map((phase) => phase.id));
  if (!ids.has(draft.standard.phase)) draft.standard = { phase: "", percent: draft.standard.percent };
}

function stored() {
  try {
    return JSON.parse(window.sessionStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}
