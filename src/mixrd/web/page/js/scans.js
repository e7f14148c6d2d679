// Step 1: the scans.

import { api, upload } from "./api.js";
import { byId, fill, h } from "./dom.js";
import { change, draft, onDraft } from "./draft.js";
import { dropZone } from "./drop_zone.js";
import { bytes, plural } from "./format.js";
import { announce, errorBox } from "./notices.js";
import { radiationTitle } from "./radiations.js";
import { drawPreview, dropPreview } from "./scan_preview.js";
import { explained } from "./warnings.js";

/** What a header says: label and unit. */
const HEADER = {
  wavelength_angstrom: ["wavelength", " Å"], anode: ["anode", ""], counting_time_s: ["time per step", " s"], scan_axis: ["scanned axis", ""],
  goniometer_radius_mm: ["goniometer radius", " mm"], format: ["format", ""], reader: ["read by", ""], sha256: ["SHA-256", ""],
};
const EXAMPLE_PHASES = ["corundum", "fluorite", "zincite"];

let limit = null; // bytes
let endings = []; // of files that may hold scans
let pictured = null; // id of the scan whose preview is open
let drawn = null; // what the preview shows

/** Refuse files above this size before they are sent, and offer those with these endings. */
export function limitUploads(size, offered) {
  limit = size ?? null;
  endings = offered ?? [];
  renderHint();
}

export function mountScans() {
  fill(
    byId("scans"),
    dropZone({
      title: "Drop scans here, or choose files", hint: "XRDML, RAW, BRML, UXD, RAS, RASX, GSAS, CIF, XY, CSV …",
      accept: endings.join(","), multiple: true, take: takeScans, id: "scan-drop",
    }),
    h("p", { class: "hint" }, h("span", { id: "scan-limit" }), " ",
      h("span", { id: "scan-example" }, "None at hand? ", h("button", { type: "button", class: "plain small", onclick: takeExample }, "Take the example"))),
    h("div", { id: "scan-uploads" }),
    h("div", { id: "scan-errors" }),
    h("ul", { id: "scan-list", class: "scan-list", "aria-label": "Chosen scans" }),
    h("div", { id: "scan-preview" }),
  );
  renderHint();
  onDraft(render);
}

/** After a reload: the scans anew, since previews are not kept; those that the server no longer has go. */
export async function renewScans() {
  const found = await Promise.allSettled(draft.scans.map((scan) => api.scan(scan.id)));
  const lost = found.some((answer) => answer.status === "rejected" && answer.reason.status === 404);
  const scans = found
    .map((answer, i) => (answer.status === "fulfilled" ? answer.value : answer.reason.status === 404 ? null : draft.scans[i]))
    .filter(Boolean);
  if (scans.length || lost) change({ scans });
}

/** Send files one after the other. */
export async function takeScans(files) {
  fill(byId("scan-errors"));
  for (const file of files) await takeScan(file);
}

async function takeScan(file) {
  if (limit !== null && file.size > limit) {
    refuse({
      code: "TOO_LARGE", file: file.name, message: `The file has ${bytes(file.size)}; at most ${bytes(limit)} are accepted`,
      remedy: "A powder scan is rarely above a few megabytes: is it the right file?",
    });
    return;
  }
  const stop = new AbortController();
  const bar = h("progress", { max: "1", value: "0", "aria-label": `Sending ${file.name}` });
  const row = h("div", { class: "row upload" }, h("span", { class: "grow name" }, file.name), bar,
    h("button", { type: "button", class: "quiet", onclick: () => stop.abort(), "aria-label": `Stop sending ${file.name}` }, "✕"));
  byId("scan-uploads").append(row);
  try {
    const progress = (share) => { bar.value = share; };
    const scan = await upload("api/scans", file, { progress, signal: stop.signal });
    const others = draft.scans.filter((other) => other.id !== scan.id);
    pictured = scan.id;
    change({ scans: [...others, scan] });
    announce(`${scan.file} was read: ${facts(scan).join(", ")}`);
  } catch (error) {
    if (error.code !== "ABORTED") refuse({ ...error, message: error.message, file: error.file ?? file.name });
  } finally {
    row.remove();
  }
}

/** The scan of `mixrd demo` with its phases: something to see without a file. */
async function takeExample() {
  try {
    const [scan, phases] = await Promise.all([api.example(), api.phases("")]);
    change({
      scans: [scan], phases: EXAMPLE_PHASES.map((id) => phases.find((phase) => phase.id === id)).filter(Boolean),
      instrument: "lab-cu", method: "refine",
    });
    announce("The example is chosen: a mixture of corundum, fluorite and zincite");
    byId("run-start").focus();
  } catch (error) {
    refuse(error);
  }
}

function refuse(error) {
  const box = errorBox(error, { close: () => box.remove() });
  byId("scan-errors").append(box);
  box.scrollIntoView({ block: "nearest" });
}

function render() {
  const { scans } = draft;
  if (!scans.some((scan) => scan.id === pictured)) pictured = scans[0]?.id ?? null;
  fill(byId("scan-list"), scans.map(row));
  byId("scan-example").hidden = scans.length > 0;
  byId("scan-drop").classList.toggle("slim", scans.length > 0);
  const scan = scans.find((one) => one.id === pictured && one.preview);
  if (scan && drawn !== scan.id) drawPreview(byId("scan-preview"), scan);
  if (!scan) {
    dropPreview();
    fill(byId("scan-preview"));
  }
  drawn = scan?.id ?? null;
}

function row(scan) {
  const open = scan.id === pictured;
  const header = Object.entries({ ...HEADER, ...scan.header }).filter(([key, value]) => scan.header?.[key] !== undefined && value !== null && value !== "");
  return h(
    "li",
    { class: open ? "scan open" : "scan" },
    h("div", { class: "row" },
      h("button", { type: "button", class: "plain grow name", "aria-pressed": String(open), onclick: () => picture(scan.id),
        title: "Show this scan" }, scan.file),
      h("button", { type: "button", class: "quiet", "aria-label": `Remove ${scan.file}`, onclick: () => remove(scan.id) }, "✕")),
    h("ul", { class: "facts" }, facts(scan).map((fact) => h("li", {}, fact)),
      scan.radiation ? null : h("li", { class: "doubt" }, "⚠ wavelength not in the file: choose it in step 3")),
    (scan.warnings ?? []).map((warning) => h("p", { class: "doubt small" }, `⚠ ${explained(warning).title}: ${warning.message}`)),
    open && header.length
      ? h("details", {}, h("summary", {}, "What the header says"),
        h("dl", { class: "pairs" }, header.map(([key, value]) => {
          const [label, unit] = HEADER[key] ?? [key.replaceAll("_", " "), ""];
          return [h("dt", {}, label), h("dd", {}, shown(value), unit)];
        })))
      : null,
  );
}

function facts(scan) {
  return [
    scan.radiation ? radiationTitle(scan.radiation) : null,
    `${scan.two_theta_min.toFixed(2)}–${scan.two_theta_max.toFixed(2)}° 2θ`,
    scan.step ? `step ${Number(scan.step.toPrecision(3))}°` : null,
    plural(scan.points, "point"),
  ].filter(Boolean);
}

function shown(value) {
  if (typeof value === "number") return String(Number(value.toPrecision(7)));
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function picture(id) {
  pictured = id;
  render();
}

function remove(id) {
  change({ scans: draft.scans.filter((scan) => scan.id !== id) });
  byId("scan-drop").focus();
}

function renderHint() {
  const hint = byId("scan-limit");
  if (hint) hint.textContent = limit === null ? "" : `Up to ${bytes(limit)} a file.`;
}

