// A small picture of a measured scan.

import { fill, h } from "./dom.js";
import { themed } from "./palette.js";
import { angleAxis, countAxis, livePlot, newPlot } from "./plot_frame.js";

let shown = null;

/** Draw a scan's preview into a holder; the one drawn before is given up. */
export function drawPreview(holder, scan, { height = 170 } = {}) {
  dropPreview();
  const place = h("div", {
    class: "plot", role: "img",
    "aria-label": `Intensity of ${scan.file} from ${scan.two_theta_min}° to ${scan.two_theta_max}° 2θ`,
  });
  fill(holder, place);
  const { two_theta: x, intensity: y } = scan.preview;
  shown = livePlot(place, (width) => newPlot({
    width,
    height,
    cursor: { drag: { x: true, y: false }, points: { show: false } },
    scales: { x: { time: false }, y: { range: (u, low, high) => [Math.min(0, low), high * 1.04 || 1] } },
    axes: [angleAxis(), countAxis()],
    series: [{}, { stroke: themed("accent"), width: 1.2, points: { show: false } }],
  }, [x, y], place));
}

export function dropPreview() {
  shown?.destroy();
  shown = null;
}
