// Fractions of one scan: the sentence, bars with intervals, the table.

import { h } from "./dom.js";
import { cellText, formula, intervalText, listed, sizeText, twoDigits, withSigma } from "./format.js";
import { phaseStyle } from "./palette.js";
import { asSentence, presence, statementOf, statementText, wholeOf } from "./statement.js";
import { gravest } from "./warnings.js";

/** The result in a sentence, and what it means in a second one. */
export function sentences(analysis) {
  const codes = new Set(analysis.warnings.map((warning) => warning.code));
  const { kind } = statementOf(analysis);
  const said = asSentence(statementText(analysis));
  if (kind === "none") return [said, "The fit, and the lines that no phase explains, help to see why."];
  if (kind === "presence" && !codes.has("WRONG_WAVELENGTH")) return [`${listed(analysis.phases.map((p) => `${p.name}: ${presence(p)}`))}.`, said];
  if (codes.has("NO_PHASE_FOUND")) return ["None of the chosen phases was found in this scan.", ""];
  const found = [...analysis.phases].filter((p) => p.detected !== false).sort((a, b) => b.weight_percent - a.weight_percent);
  const absent = analysis.phases.filter((p) => p.detected === false);
  if (gravest(analysis.warnings) === "stop") return ["These numbers cannot be used: they say nothing about the sample.", ""];
  if (!found.length) return ["None of the chosen phases was found in this scan.", ""];
  const parts = found.map((p) => `${withSigma(p.weight_percent, p.sigma_percent)}\u00a0% ${p.name}`);
  let first = codes.has("UNEXPLAINED_LINES") ? `Something else is in this sample. Among the chosen phases: ${listed(parts)}.` : `This sample is ${listed(parts)}.`;
  if (absent.length) {
    first += ` No ${listed(absent.map((p) => p.name))} was found (${listed(absent.map((p) => (p.detection_limit_percent ? `below ${twoDigits(p.detection_limit_percent)} %` : "none")))}).`;
  }
  return [first, interval(analysis, found)];
}

function interval(analysis, found) {
  const level = analysis.interval_level;
  const known = found.filter((p) => p.interval_percent);
  const share = "Percent by weight of what is crystalline: glass has no lines.";
  if (!level || !known.length) return share;
  const ranges = known.map((p) => `${p.name} ${intervalText(p.interval_percent, p.sigma_percent).replace("–", "to")}\u00a0%`);
  return `${Math.round(100 * level)} % intervals: ${listed(ranges)}; in ${Math.round(10 * level)} of 10 analyses the true value lies within. ${share}`;
}

/** The whole sample where a standard tells how much is crystalline. */
export function wholeSentence(analysis) {
  const whole = analysis.absolute;
  if (!whole || statementOf(analysis).kind === "none") return "";
  const rows = Object.entries(whole.weight_percent).map(([name, x]) => `${withSigma(x, whole.sigma_percent[name])} % ${name}`);
  return `Of ${wholeOf(whole.method)} (${whole.method}): ${listed([...rows, `${withSigma(whole.amorphous_percent, whole.amorphous_sigma_percent)} % amorphous`])}.`;
}

/** Bars with intervals; the table says the same in numbers. */
export function bars(analysis) {
  const top = scaleTop(analysis.phases);
  const place = (x) => `${Math.max(0, Math.min(100, (100 * x) / top))}%`;
  const rows = analysis.phases.map((p, i) => {
    const bar = h("span", { class: "bar" });
    bar.style.width = place(p.weight_percent);
    bar.style.background = phaseStyle(i).colour;
    const track = h("span", { class: "track" }, bar);
    if (p.interval_percent) {
      const whisker = h("span", { class: "whisker" });
      whisker.style.left = place(p.interval_percent[0]);
      whisker.style.width = `${Math.max(0, (100 * (Math.min(p.interval_percent[1], top) - Math.max(p.interval_percent[0], 0))) / top)}%`;
      track.append(whisker);
    }
    return h("div", { class: "bar-row" }, h("span", { class: "bar-name" }, p.name), track, h("span", { class: "bar-value" }, amount(p, "amounts")));
  });
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const tick = h("span", {}, `${Number((top * share).toFixed(1))}`);
    tick.style.left = `${100 * share}%`;
    return tick;
  });
  return h("div", { class: "bars", "aria-hidden": "true" }, rows,
    h("div", { class: "bar-row scale" }, h("span"), h("span", { class: "ticks" }, ticks), h("span", { class: "hint" }, "wt%")));
}

function scaleTop(phases) {
  const highest = Math.max(...phases.map((p) => Math.max(p.weight_percent, p.interval_percent?.[1] ?? 0)));
  return [2, 5, 10, 20, 40, 60, 80].find((top) => highest <= top) ?? 100;
}

/** "31.4 ± 1.2 %", or what it is below; where no amounts are stated whether it is there, or nothing. */
export function amount(phase, kind) {
  if (kind === "presence") return presence(phase);
  if (kind === "none" || phase.weight_percent === null) return "–";
  if (phase.detected === false && phase.detection_limit_percent) return `<\u00a0${twoDigits(phase.detection_limit_percent)}\u00a0%`;
  return `${withSigma(phase.weight_percent, phase.sigma_percent)}\u00a0%`;
}

/** The same without the unit. */
export function bare(phase, kind) {
  return amount(phase, kind).replace("\u00a0%", "");
}

/** The table of a scan's phases; columns that hold nothing are left out. */
export function fractionTable(analysis) {
  const phases = analysis.phases;
  const level = Math.round(100 * (analysis.interval_level ?? 0.9));
  const { kind } = statementOf(analysis);
  const stated = kind === "amounts";
  const refined = stated && phases.some((p) => p.refined_percent !== null);
  const both = refined && phases.some((p) => p.network_percent !== null);
  const columns = [
    [stated ? "weight %" : "presence", (p) => bare(p, kind), kind !== "none"],
    [`${level} % interval`, (p) => (p.interval_percent ? intervalText(p.interval_percent, p.sigma_percent) : "–"), stated && phases.some((p) => p.interval_percent)],
    ["detection limit, wt%", (p) => (p.detection_limit_percent ? twoDigits(p.detection_limit_percent) : "–"), stated && phases.some((p) => p.detection_limit_percent)],
    ["network, wt%", (p) => number(p.network_percent), both],
    ["refined, wt%", (p) => number(p.refined_percent), both],
    ["cell", (p) => (p.cell ? cellText(p.cell, p.cell_sigma).map((part) => h("span", { class: "nobreak" }, part, " ")) : "–"), phases.some((p) => p.cell)],
    ["crystallites", sizeText, phases.some((p) => p.cell)],
    ["texture", textureText, phases.some((p) => p.texture)],
  ].filter(([, , there]) => there);
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": stated ? "Table of fractions" : "Table of phases" },
    h("table", { id: "fractions" },
      h("caption", { class: "unseen" }, `${stated ? "Weight fractions" : "Phases"} in ${analysis.file}`),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "phase"), columns.map(([name]) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, phases.map((p, i) => h("tr", {},
        h("th", { scope: "row" }, swatch(i), p.name, " ", h("span", { class: "hint" }, formula(p.formula))),
        columns.map(([, value]) => h("td", {}, value(p))))))));
}

/** A patch in the colour of a phase. */
export function swatch(index) {
  const patch = h("span", { class: "swatch", "aria-hidden": "true" });
  patch.style.background = phaseStyle(index).colour;
  return patch;
}

function number(value) {
  return value === null || value === undefined ? "–" : value.toFixed(2);
}

function textureText(phase) {
  if (!phase.texture) return "–";
  const { axis, r, sigma } = phase.texture;
  return `${axis.join(" ")}, r ${r.toFixed(2)} ± ${sigma.toFixed(2)}`;
}
