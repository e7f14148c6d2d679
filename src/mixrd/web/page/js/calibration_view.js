// What a calibration found: the instrument, its fit to the standard.

import { address, api } from "./api.js";
import { fill, h } from "./dom.js";
import { fitPlot } from "./fit_plot.js";
import { percent, signed } from "./format.js";
import { useInstrument } from "./instrument.js";
import { errorBox } from "./notices.js";

/** Show a finished calibration in `place`; returns {destroy}. */
export function calibrationView(place, job) {
  const result = job.results[0];
  const fitPlace = h("div", { class: "fit" });
  let plot = null;
  let gone = false;
  fill(
    place,
    h("section", { class: "card answer", "aria-label": "Result" },
      h("p", { class: "sentence", id: "sentence" }, "The instrument is calibrated and in the list of instruments."),
      result?.calibration ? h("p", { class: "hint" }, quality(result.calibration)) : null,
      h("div", { class: "row wrap actions" },
        h("button", { type: "button", class: "primary", onclick: use }, "Use it for an analysis"),
        h("a", { class: "button", href: address.instrument(job.instrument), download: "" }, "Instrument file (TOML)"),
        result ? h("a", { class: "button", href: address.plot(job.id, result.index), download: "" }, "Plot (PNG)") : null)),
    h("section", { class: "card", "aria-labelledby": "head-fit" }, h("h2", { id: "head-fit" }, "Fit of the standard"), fitPlace),
  );
  if (result) draw();

  async function use() {
    await useInstrument(job.instrument);
    window.location.hash = "";
  }

  async function draw() {
    try {
      const curves = await api.curves(job.id, result.index);
      if (!gone) plot = fitPlot(fitPlace, curves, { file: result.file });
    } catch (error) {
      if (!gone) fill(fitPlace, errorBox(error));
    }
  }

  return {
    destroy() {
      gone = true;
      plot?.destroy();
    },
  };
}

function quality({ r_wp: residual, r_exp: expected, zero_deg: zero, displacement_mm: displacement }) {
  return `Weighted profile residual R_wp ${percent(residual)} (noise alone: ${percent(expected)}), zero shift ${signed(zero, 4)}° 2θ, displacement ${signed(displacement, 3)} mm.`;
}
