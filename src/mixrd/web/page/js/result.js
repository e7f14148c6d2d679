// The result of one scan: sentence, doubts, fractions, fit, details.

import { address, api } from "./api.js";
import { fill, h } from "./dom.js";
import { fitPlot } from "./fit_plot.js";
import { percent, signed } from "./format.js";
import { bars, fractionTable, sentences, wholeSentence } from "./fractions.js";
import { errorBox } from "./notices.js";
import { statementOf } from "./statement.js";
import { explained, sorted } from "./warnings.js";

/** Show result `index` of a job in `place`; `addPhase(name)` analyses again with a suggested phase. Returns {destroy}. */
export function resultView(place, job, index, addPhase) {
  const result = job.results[index];
  if (result.status === "failed" || !result.analysis) {
    fill(place, h("section", { class: "card" }, h("h2", {}, result.file),
      errorBox(typeof result.error === "object" && result.error ? result.error : { message: result.error ?? "This scan could not be analysed" })));
    return { destroy() {} };
  }
  const analysis = result.analysis;
  const [first, second] = sentences(analysis);
  const whole = wholeSentence(analysis);
  const { kind } = statementOf(analysis);
  const isNote = (warning) => explained(warning).severity === "note";
  const doubts = sorted(analysis.warnings).filter((warning) => !isNote(warning));
  const notes = analysis.warnings.filter(isNote);
  const fitPlace = h("div", { class: "fit" });
  let plot = null;
  let gone = false;

  fill(
    place,
    h("section", { class: "card answer", "aria-label": "Result" },
      h("p", { class: kind === "none" ? "sentence refused" : "sentence", id: "sentence" }, first),
      whole ? h("p", { class: "sentence second" }, whole) : null,
      second ? h("p", { class: "hint" }, second) : null,
      doubts.map((warning) => doubt(warning, analysis, addPhase)),
      kind === "amounts" ? h("div", { class: "answer-body" }, bars(analysis)) : null,
      fractionTable(analysis),
      h("p", { class: "hint" }, qualityText(analysis)),
      notes.length ? h("details", { class: "notes", open: notes.length < 3 }, h("summary", {}, notes.length === 1 ? "1 remark" : `${notes.length} remarks`),
        notes.map((warning) => doubt(warning, analysis, addPhase))) : null),
    h("section", { class: "card", "aria-labelledby": "head-fit" }, h("div", { class: "row" }, h("h2", { id: "head-fit", class: "grow" }, "Fit"),
      analysis.r_wp === null ? null : h("a", { class: "button", href: address.plot(job.id, index), download: "" }, "Plot (PNG)")), fitPlace),
    details(analysis),
  );
  if (analysis.r_wp === null) {
    fill(fitPlace, h("p", { class: "empty" }, "There is no fitted curve: the network alone was asked. Analyse with refinement to see one."));
  } else {
    draw();
  }

  async function draw() {
    fill(fitPlace, h("p", { class: "hint row" }, h("span", { class: "spinner", "aria-hidden": "true" }), "Drawing …"));
    try {
      const curves = await api.curves(job.id, index);
      if (gone) return;
      plot = fitPlot(fitPlace, curves, {
        file: result.file,
        unexplained: analysis.unexplained?.lines ?? [],
        wavelength: analysis.provenance?.wavelengths_angstrom?.[0] ?? null,
      });
    } catch (error) {
      if (!gone) fill(fitPlace, errorBox(error, { actions: [h("button", { type: "button", onclick: draw }, "Try again")] }));
    }
  }

  return {
    destroy() {
      gone = true;
      plot?.destroy();
    },
  };
}

/** A warning: title, what was seen, and what it means. */
function doubt(warning, analysis, addPhase) {
  const { title, severity, meaning, remedy, details: more } = explained(warning);
  const kind = { stop: "error", doubt: "warn", note: "note" }[severity];
  // "zincite would explain 8 of its 8 strongest visible lines"
  const suggested = (warning.code === "UNEXPLAINED_LINES" ? analysis.unexplained?.suggestions ?? [] : [])
    .map((text) => text.replace(/ would explain .*/, ""));
  return h("div", { class: `box ${kind}`, "data-code": warning.code },
    h("div", { class: "grow" },
      h("p", {}, h("strong", {}, severity === "note" ? "" : "⚠ ", title, warning.phase ? ` (${warning.phase})` : "")),
      h("p", {}, capital(warning.message)),
      meaning ? h("details", {}, h("summary", {}, "What does this mean, and what to do?"),
        [meaning, remedy, more].filter(Boolean).map((text) => h("p", {}, text)), h("p", { class: "hint" }, `Code ${warning.code}`)) : null,
      suggested.map((name) => h("button", { type: "button", class: "small", onclick: () => addPhase(name) }, `Add ${name}`))));
}

function qualityText(analysis) {
  if (analysis.r_wp === null) return "The network's estimate, not refined.";
  const expected = analysis.r_exp === null ? "" : `; counting noise alone would give ${percent(analysis.r_exp)}`;
  return `Weighted profile residual of the fit (R_wp): ${percent(analysis.r_wp)}${expected}.`;
}

function details(analysis) {
  const source = analysis.provenance ?? {};
  const lines = analysis.unexplained?.lines ?? [];
  const pairs = [
    ["Instrument", source.instrument],
    ["Radiation", [source.radiation, source.wavelengths_angstrom?.map((x) => x.toFixed(5)).join(", ")].filter(Boolean).join(": ") + " Å"],
    ["Zero shift", analysis.zero_deg === null ? null : `${signed(analysis.zero_deg, 3)}° 2θ`],
    ["Sample displacement", analysis.displacement_mm === null ? null : `${signed(analysis.displacement_mm, 3)} mm`],
    ["Background", analysis.background_degree === null ? null : `polynomial of degree ${analysis.background_degree}`],
    ["Density used", analysis.phases.map((p) => `${p.name} ${p.density_g_cm3.toFixed(3)}`).join(", ") + " g/cm³"],
    ["Times", Object.entries(analysis.seconds).filter(([, s]) => s !== null).map(([name, s]) => `${name} ${s < 0.1 ? s.toFixed(3) : s.toFixed(1)} s`).join(", ")],
    ["Unexplained lines", lines.length ? lines.map((line) => `${line.two_theta_deg.toFixed(2)}° (d ${line.d_spacing_angstrom.toFixed(3)} Å${line.remark ? `, ${line.remark}` : ""})`).join("; ") : "none"],
    ["File (SHA-256)", source.scan_sha256],
    ["Versions", [`mixrd ${source.mixrd}`, source.torch ? `torch ${source.torch}` : null].filter(Boolean).join(", ")],
  ].filter(([, value]) => value);
  return h("details", { class: "card" }, h("summary", {}, "What was assumed and found"),
    h("dl", { class: "pairs" }, pairs.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])));
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}
