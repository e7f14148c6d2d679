// The interactive fit: data, fit, phases; marks; difference. Zoom by drag, wheel and keys.

import { fill, h } from "./dom.js";
import { questionMarks, marksStrip } from "./fit_marks.js";
import { dSpacing, intensityScale, moved, zoomed } from "./fit_scale.js";

import { phaseStyle, themed } from "./palette.js";
import { angleAxis, countAxis, livePlot, newPlot, shortCount } from "./plot_frame.js";

const PADDING = [10, 14, 0, 0];
const KEYS = "Drag to zoom, double-click to see all. With the plot focused: wheel or + − zoom, ← → move, 0 shows all, S changes the scale.";

let serial = 0; // each fit has its own pair of synchronised cursors

/** Draw the fit into `place`; returns {destroy}. `unexplained`: lines of the analysis; `wavelength` in angstrom or null. */
export function fitPlot(place, curves, { file, unexplained = [], wavelength = null }) {
  const names = curves.names;
  const whole = [curves.two_theta[0], curves.two_theta.at(-1)];
  const state = { scale: "sqrt", shown: names.map(() => true), data: true, fit: true };
  const difference = curves.observed.map((y, i) => y - curves.calculated[i]);
  const totals = curves.contributions.map((one) => one.map((y, i) => y + curves.background[i]));
  const sync = `fit-${serial += 1}`;

  const upper = h("div", { class: "plot" });
  const strip = h("canvas", { class: "marks", "aria-hidden": "true" });
  const lower = h("div", { class: "plot" });
  const readout = h("p", { class: "readout" });
  const scaleButton = h("button", { type: "button", class: "small", onclick: changeScale });
  const stage = h("div", {
    class: "fit-stage", tabindex: "0", role: "group", id: "fit",
    "aria-label": `Fit of ${file}: measured points, fit and phases above, reflection marks, difference below. ${KEYS}`,
    onkeydown: onKey,
  }, upper, strip, lower);
  const drawMarks = marksStrip(strip, names, curves.marks);

  fill(
    place,
    h("div", { class: "row wrap fit-tools" },
      h("div", { class: "legend grow", role: "group", "aria-label": "Show or hide" }, legend()),
      h("div", { class: "row" }, scaleButton,
        tool("+", "Zoom in", () => zoom(0.5)), tool("−", "Zoom out", () => zoom(2)),
        tool("←", "Move left", () => move(-0.25)), tool("→", "Move right", () => move(0.25)),
        tool("Show all", "Show the whole scan", showAll))),
    stage, readout, h("p", { class: "hint keys" }, KEYS),
  );

  let rest = null; // drawn after the first
  const main = livePlot(upper, makeMain);
  rest = livePlot(lower, makeDifference);
  nameScale();
  const wheel = (event) => {
    if (!event.ctrlKey && document.activeElement !== stage) return; // else the page could not be scrolled
    event.preventDefault();
    const u = main.plot;
    zoom(event.deltaY < 0 ? 0.8 : 1.25, u.posToVal(event.clientX - u.over.getBoundingClientRect().left, "x"));
  };
  stage.addEventListener("wheel", wheel, { passive: false });
  stage.addEventListener("mousedown", () => stage.focus({ preventScroll: true }));

  function makeMain(width) {
    const scale = intensityScale(state.scale);
    const line = (colour, size, more = {}) => ({ stroke: colour, width: size, points: { show: false }, ...more });
    const phases = names.map((_, i) => {
      const { colour, dash } = phaseStyle(i);
      return line(colour, 1.4, { dash, show: state.shown[i] });
    });
    const background = names.length + 2;
    return newPlot({
      width, height: upperHeight(), padding: PADDING,
      cursor: { drag: { x: true, y: false }, sync: { key: sync }, points: { show: false }, y: false },
      scales: { x: { time: false }, y: { range: scale.range } },
      axes: [angleAxis({ bare: true }), countAxis({
        label: `intensity (counts${state.scale === "sqrt" ? ", square-root scale" : ""})`, splits: scale.splits,
        values: (u, splits) => splits.map((y) => shortCount(scale.back(y))),
      })],
      series: [
        {},
        { paths: () => null, show: state.data, points: { show: true, size: 3.2, width: 0, fill: themed("data") } },
        ...phases,
        line(themed("muted"), 1, { dash: [5, 4] }),
        line(themed("ink"), 1, { show: state.fit }),
      ],
      bands: names.map((_, i) => ({ series: [i + 2, background], fill: phaseStyle(i).fill })),
      hooks: {
        setScale: [(u, key) => {
          if (key !== "x") return;
          follow(u, rest?.plot);
          read(u);
        }],
        draw: [(u) => drawMarks(u, state.shown), questionMarks(unexplained)],
        setCursor: [read],
      },
    }, [curves.two_theta, ...[curves.observed, ...totals, curves.background, curves.calculated].map(scale.forward)], upper);
  }

  function makeDifference(width) {
    return newPlot({
      width, height: 150, padding: PADDING,
      cursor: { drag: { x: true, y: false }, sync: { key: sync }, points: { show: false }, y: false },
      scales: { x: { time: false }, y: { range: (u, low, high) => even(low, high) } },
      axes: [angleAxis(), countAxis({ label: "difference", splits: (u, i, low, high) => [-1, 0, 1].map((side) => side * roundBelow(0.9 * high)) })],
      series: [{}, { stroke: themed("muted"), width: 1, points: { show: false } }],
      hooks: { setScale: [(u, key) => key === "x" && follow(u, main.plot)], draw: [zeroLine, questionMarks(unexplained)] },
    }, [curves.two_theta, difference], lower);
  }

  function legend() {
    const toggle = (label, style, read, write) => {
      const button = h("button", { type: "button", class: "toggle", "aria-pressed": "true", onclick: () => {
        write(!read());
        button.setAttribute("aria-pressed", String(read()));
        main.rebuild();
      } }, style, label);
      return button;
    };
    const sign = (kind, colour = "") => {
      const mark = h("span", { class: `sign ${kind}`, "aria-hidden": "true" });
      if (colour) mark.style.background = colour;
      return mark;
    };
    return [
      toggle("measured", sign("dots"), () => state.data, (on) => { state.data = on; }),
      toggle("fit", sign("line"), () => state.fit, (on) => { state.fit = on; }),
      names.map((name, i) => toggle(name, sign("patch", phaseStyle(i).colour), () => state.shown[i], (on) => { state.shown[i] = on; })),
      h("span", { class: "hint legend-note" }, sign("dashes"), "background"),
      unexplained.some((one) => !one.remark) ? h("span", { class: "hint legend-note" }, h("b", { class: "doubt" }, "? "), "unexplained") : null,
    ];
  }

  function changeScale() {
    state.scale = state.scale === "sqrt" ? "linear" : "sqrt";
    nameScale();
    main.rebuild();
  }

  function nameScale() {
    const root = state.scale === "sqrt";
    scaleButton.textContent = root ? "Scale: square root" : "Scale: linear";
    scaleButton.title = root ? "Weak lines are seen; click for counts as they are" : "Click for square roots, which show weak lines";
  }

  function range() {
    const { min, max } = main.plot.scales.x;
    return [min, max];
  }

  function show([min, max]) {
    main.plot.setScale("x", { min, max });
  }

  function zoom(factor, centre = (range()[0] + range()[1]) / 2) {
    show(zoomed(range(), factor, centre, whole));
  }

  function move(share) {
    show(moved(range(), share, whole));
  }

  function showAll() {
    show(whole);
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== stage) return;
    const act = {
      "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), ArrowLeft: () => move(-0.2), ArrowRight: () => move(0.2),
      0: showAll, Home: showAll, s: changeScale, S: changeScale,
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  function read(u) {
    const i = u.cursor.idx;
    if (i === null || i === undefined) {
      readout.textContent = `shown: ${u.scales.x.min.toFixed(2)}–${u.scales.x.max.toFixed(2)}° 2θ`;
      return;
    }
    const x = curves.two_theta[i];
    readout.textContent = [
      `2θ ${x.toFixed(3)}°`, wavelength ? `d ${dSpacing(x, wavelength).toFixed(4)} Å` : null,
      `measured ${shortCount(curves.observed[i])}`, `fit ${shortCount(curves.calculated[i])}`,
      `difference ${shortCount(difference[i])}`,
    ].filter(Boolean).join("   ");
  }

  return {
    destroy() {
      main.destroy();
      rest.destroy();
    },
  };
}

/** The other plot gets the same range of x. */
function follow(from, to) {
  const { min, max } = from.scales.x;
  if (to && (to.scales.x.min !== min || to.scales.x.max !== max)) to.setScale("x", { min, max });
}

function tool(text, label, act) {
  return h("button", { type: "button", class: "small", "aria-label": label, title: label, onclick: act }, text);
}

function upperHeight() {
  return Math.round(Math.max(260, Math.min(420, window.innerHeight * 0.48)));
}

function even(low, high) {
  const reach = 1.1 * Math.max(Math.abs(low ?? 0), Math.abs(high ?? 0), 1e-9);
  return [-reach, reach];
}

/** The largest 1, 2 or 5 times a power of ten that is not above. */
function roundBelow(value) {
  const unit = 10 ** Math.floor(Math.log10(value));
  return unit * [5, 2, 1].find((digit) => digit * unit <= value);
}

function zeroLine(u) {
  const y = u.valToPos(0, "y", true);
  u.ctx.save();
  u.ctx.strokeStyle = themed("muted");
  u.ctx.lineWidth = 1;
  u.ctx.beginPath();
  u.ctx.moveTo(u.bbox.left, y);
  u.ctx.lineTo(u.bbox.left + u.bbox.width, y);
  u.ctx.stroke();
  u.ctx.restore();
}
