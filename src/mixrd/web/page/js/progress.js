// What a running job does: stage, time left, loss curve.

import { fill, h } from "./dom.js";
import { count, duration, twoDigits } from "./format.js";
import { announce } from "./notices.js";
import { themed } from "./palette.js";
import { axis, livePlot, newPlot } from "./plot_frame.js";

const STAGES = {
  queued: "Waiting for its turn",
  training: "Training the network for these phases",
  analysing: "Analysing",
  calibrating: "Fitting the instrument to the standard",
};
const ABOUT = "mixrd simulates these phases on this diffractometer, in ever new mixtures, and a small network learns to read them. This happens once for a set of phases: the next analysis starts at once. The curve should fall, steeply at first.";

/** The progress of one job in `place`; returns {show(job), end()}. */
export function progressView(place) {
  const title = h("h2", {}, "");
  const bar = h("progress", { max: "1", "aria-label": "Progress" });
  const line = h("p", { class: "hint", id: "progress-line" });
  const plotPlace = h("div", { class: "plot", role: "img", "aria-label": "Loss of the training, falling" });
  const curveCard = h("figure", { class: "loss" }, h("figcaption", {}, "Error on fresh mixtures (loss)"), plotPlace,
    h("p", { class: "hint" }, ABOUT));
  curveCard.hidden = true;
  fill(place, h("section", { class: "card progress", "aria-label": "Progress" }, title, bar, line, curveCard));
  let curve = null;
  let said = "";
  let points = [[], []];
  let steps = 2;

  const make = (width) => newPlot({
    width,
    height: 180,
    cursor: { show: false },
    scales: { x: { time: false, range: (u, low, high) => [1, Math.max(steps, high)] }, y: { distr: 3 } },
    axes: [axis({ label: "training step", size: 28, values: (u, x) => x.map((v) => count(v)) }),
      axis({ size: 56, values: (u, y) => y.map((v) => (v === null ? "" : twoDigits(v))) })],
    series: [{}, { stroke: themed("accent"), width: 2, points: { show: false } }],
  }, points, plotPlace);

  return {
    show(job) {
      const p = job.progress ?? {};
      const stage = STAGES[job.state] ?? p.stage ?? job.state;
      const scans = job.state === "analysing" && p.scans > 1 ? ` scan ${Math.min((p.scans_done ?? 0) + 1, p.scans)} of ${p.scans}` : "";
      title.textContent = `${stage}${scans}`;
      if (said !== title.textContent) announce(said = title.textContent);
      const share = shareOf(job, p);
      if (share === null) bar.removeAttribute("value");
      else bar.value = share;
      line.textContent = [
        job.state === "analysing" && !(p.scans > 1) ? "This takes some seconds." : "",
        job.state === "queued" ? "Another analysis runs; this one starts by itself." : "",
        job.state === "training" && p.steps ? `step ${count(p.step ?? 0)} of ${count(p.steps)}` : "",
        p.seconds_left !== null && p.seconds_left !== undefined ? `about ${duration(p.seconds_left)} left` : "",
      ].filter(Boolean).join(", ");
      const drawn = (p.curve ?? []).filter(([, loss]) => loss > 0);
      if (drawn.length > 1) {
        steps = p.steps ?? 2;
        points = [drawn.map(([step]) => step), drawn.map(([, loss]) => loss)];
        curveCard.hidden = false;
        if (!curve) curve = livePlot(plotPlace, make);
        else curve.plot.setData(points);
      }
    },
    end() {
      curve?.destroy();
      curve = null;
      fill(place);
    },
  };
}

function shareOf(job, p) {
  if (job.state === "training" && p.steps) return (p.step ?? 0) / p.steps;
  if (job.state === "analysing" && p.scans > 1) return (p.scans_done ?? 0) / p.scans;
  return null;
}
