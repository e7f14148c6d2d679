// What all plots share: theme, width, axes.

import { count } from "./format.js";
import { themed } from "./palette.js";

const FONT = "12px system-ui, sans-serif";
export const GUTTER = 62;
const ON_PAPER = 690; // px, within the margins of A4 and Letter

/**
 * A plot that follows the width of its holder and the theme.
 *
 * `make(width)` returns a new uPlot; it is called again when the theme changes. Returns {get plot, redraw, destroy}.
 */
export function livePlot(holder, make) {
  let plot = null;
  let width = 0;
  const build = () => {
    const x = plot ? { min: plot.scales.x.min, max: plot.scales.x.max } : null;
    plot?.destroy();
    width = document.documentElement.hasAttribute("data-paper") ? ON_PAPER : Math.max(200, Math.floor(holder.clientWidth));
    plot = make(width);
    if (x && x.min !== null && x.min !== undefined) plot.setScale("x", x);
  };
  const observer = new ResizeObserver(() => {
    const now = Math.max(200, Math.floor(holder.clientWidth));
    if (plot && holder.clientWidth > 0 && now !== width) {
      width = now;
      plot.setSize({ width, height: plot.height });
    }
  });
  build();
  observer.observe(holder);
  document.addEventListener("mixrd-theme", build);
  return {
    get plot() { return plot; },
    rebuild: build,
    destroy() {
      observer.disconnect();
      document.removeEventListener("mixrd-theme", build);
      plot?.destroy();
      plot = null;
    },
  };
}

/** An axis in the colours of the theme. */
export function axis(settings = {}) {
  return {
    stroke: themed("muted"),
    font: FONT,
    labelFont: FONT,
    labelSize: 18,
    grid: { stroke: themed("grid"), width: 1 },
    ticks: { stroke: themed("grid"), width: 1, size: 5 },
    ...settings,
  };
}

/** Degrees 2θ below a plot; `bare`: ticks without numbers. */
export function angleAxis({ bare = false } = {}) {
  if (bare) return axis({ values: (u, splits) => splits.map(() => ""), size: 6 });
  return axis({ label: "2θ (degrees)", size: 28, values: (u, splits) => splits.map((x) => String(Number(x.toFixed(4)))) });
}

/** Counts at the left of a plot. */
export function countAxis(settings = {}) {
  return axis({ size: GUTTER, values: (u, splits) => splits.map((y) => (y === null ? "" : shortCount(y))), ...settings });
}

export function shortCount(y) {
  if (Math.abs(y) >= 1e6) return `${Number((y / 1e6).toPrecision(3))} M`;
  return Math.abs(y) < 10 ? String(Number(y.toPrecision(2))) : count(y);
}

/** The uPlot of the bundled script. */
export function newPlot(options, data, holder) {
  return new window.uPlot({ legend: { show: false }, ...options }, data, holder);
}
