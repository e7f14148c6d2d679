// Several scans: a shaded table, fractions over scans, curves.

import { fill, h } from "./dom.js";
import { bare, swatch } from "./fractions.js";
import { percent } from "./format.js";
import { compareCurves } from "./compare_curves.js";
import { phaseStyle } from "./palette.js";
import { axis, livePlot, newPlot } from "./plot_frame.js";
import { statementOf, statementText } from "./statement.js";
import { explained } from "./warnings.js";

// Scans: intervals, and points, of more would be a grey mass.
const BANDS_UP_TO = 60;
const POINTS_UP_TO = 200;

/** The comparison of a job's results in `place`; `open(index)` shows one; `all` are there. Returns {destroy}. */
export function compareView(place, job, open, all) {
  const done = job.results.filter((result) => result.analysis);
  const stated = done.some((result) => statementOf(result.analysis).kind === "amounts");
  const names = [...new Set(done.flatMap((result) => result.analysis.phases.map((p) => p.name)))];
  const trendPlace = h("div", { class: "plot", role: "img", "aria-label": `Weight percent of ${names.join(", ")} over ${done.length} scans; the table has the numbers` });
  const curvesPlace = h("div", {});
  fill(
    place,
    h("section", { class: "card", "aria-labelledby": "head-compare" },
      h("h2", { id: "head-compare" }, "All scans"), table(job, names, open)),
    done.length > 1 && stated
      ? h("section", { class: "card", "aria-labelledby": "head-trend" }, h("h2", { id: "head-trend" }, "Fractions over the scans"),
        h("p", { class: "legend" }, names.map((name, i) => h("span", { class: "legend-note" }, swatch(i), name))), trendPlace)
      : null,
    h("section", { class: "card", "aria-labelledby": "head-curves" }, h("h2", { id: "head-curves" }, "Measured curves"), curvesPlace),
  );
  const trend = done.length > 1 && stated ? livePlot(trendPlace, (width) => trendPlot(width, trendPlace, done, names, open)) : null;
  const curves = all ? compareCurves(curvesPlace, job.results) : null;
  if (!all) fill(curvesPlace, h("p", { class: "hint" }, "Drawn when all scans are analysed."));
  return {
    destroy() {
      trend?.destroy();
      curves?.destroy();
    },
  };
}

function table(job, names, open) {
  return h("div", { class: "scroll tall", tabindex: "0", role: "region", "aria-label": "Table of all scans" },
    h("table", { id: "comparison", class: "heat" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "scan"), names.map((name, i) => h("th", { scope: "col" }, swatch(i), name, ", wt%")),
        h("th", { scope: "col" }, h("span", {}, "R", h("sub", {}, "wp"))), h("th", { scope: "col" }, "remarks"))),
      h("tbody", {}, job.results.map((result) => tableRow(result, names, open)))));
}

function tableRow(result, names, open) {
  const head = h("th", { scope: "row" }, h("button", { type: "button", class: "plain", onclick: () => open(result.index) }, result.file));
  if (!result.analysis) {
    const why = typeof result.error === "object" ? result.error?.message : result.error;
    return h("tr", {}, head, h("td", { colspan: String(names.length + 2), class: "failed" }, `failed: ${why ?? "unknown"}`));
  }
  const { phases, r_wp: residual, warnings } = result.analysis;
  const { kind } = statementOf(result.analysis);
  const cells = names.map((name) => {
    const phase = phases.find((p) => p.name === name);
    const cell = h("td", {}, phase ? bare(phase, kind) : "");
    if (phase && kind === "amounts") cell.style.setProperty("--share", `${Math.round(Math.min(100, phase.weight_percent) * 0.55)}%`);
    return cell;
  });
  const why = statementText(result.analysis);
  const titles = [...(why ? [kind === "none" ? `⚠ ${why}` : why] : []), ...new Set(warnings.map((warning) => `${explained(warning).severity === "note" ? "" : "⚠ "}${explained(warning).title}`))];
  return h("tr", {}, head, cells, h("td", {}, residual === null ? "–" : percent(residual)), h("td", { class: "left" }, titles.join("; ")));
}

function trendPlot(width, place, done, names, open) {
  const x = done.map((_, i) => i + 1);
  const pick = (name, read) => done.map((r) => {
    const phase = statementOf(r.analysis).kind === "amounts" ? r.analysis.phases.find((p) => p.name === name) : null;
    return phase ? read(phase) : null;
  });
  const banded = done.length <= BANDS_UP_TO;
  const many = done.length > POINTS_UP_TO;
  const series = [{}];
  const data = [x];
  const bands = [];
  names.forEach((name, i) => {
    const { colour, dash, fill: shade } = phaseStyle(i);
    data.push(pick(name, (p) => p.weight_percent));
    series.push({ stroke: colour, width: many ? 1 : 2, dash, points: { show: !many, size: 7, fill: colour } });
    if (!banded) return;
    data.push(pick(name, (p) => p.interval_percent?.[1] ?? null), pick(name, (p) => p.interval_percent?.[0] ?? null));
    const edge = { stroke: "transparent", width: 0, points: { show: false } };
    series.push(edge, { ...edge });
    bands.push({ series: [data.length - 2, data.length - 1], fill: shade.replace(/66$/, "33") });
  });
  const label = (v) => (Number.isInteger(v) && done[v - 1] ? (done.length <= 8 ? short(done[v - 1].file) : String(v)) : "");
  const plot = newPlot({
    width, height: 280, padding: [10, 20, 0, 0], cursor: { points: { show: false }, drag: { x: done.length > 20, y: false } },
    scales: { x: { time: false, range: (u, low, high) => [low - 0.3, high + 0.3] }, y: { range: (u, low, high) => [Math.max(0, low - 4), Math.min(102, high + 4)] } },
    axes: [axis({ size: 30, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500], values: (u, splits) => splits.map(label) }),
      axis({ size: 50, label: "wt%" })],
    series, bands,
  }, data, place);
  plot.over.addEventListener("click", () => {
    const i = plot.cursor.idx;
    if (done.length <= BANDS_UP_TO && i !== null && i !== undefined && plot.select.width === 0) open(done[i].index);
  });
  plot.over.style.cursor = "pointer";
  return plot;
}

function short(name) {
  return name.length > 16 ? `${name.slice(0, 7)}…${name.slice(-8)}` : name;
}
