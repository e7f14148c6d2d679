// The measured curves of several scans, stacked or one over the other.

import { api } from "./api.js";
import { fill, h } from "./dom.js";
import { phaseStyle } from "./palette.js";
import { angleAxis, countAxis, livePlot, newPlot } from "./plot_frame.js";
import { errorBox } from "./notices.js";

const AT_ONCE = 6; // as many as there are colours
const WITH_BUTTONS = 24;

/** Curves with a choice of scans; returns {destroy}. */
export function compareCurves(place, results) {
  const chosen = new Set(atFirst(results).map((result) => result.index));
  const scans = new Map(); // previews by result index
  const plotPlace = h("div", { class: "plot", role: "img", "aria-label": "Measured curves of the chosen scans" });
  const problem = h("div", {});
  let stacked = true;
  let live = null;
  let gone = false;
  const mode = h("button", { type: "button", class: "small", onclick: () => { stacked = !stacked; nameMode(); draw(); } });
  const list = h("div", { class: "legend grow", role: "group", "aria-label": "Scans that are drawn" });
  fill(place, h("div", { class: "row wrap" }, list, mode), problem, plotPlace,
    h("p", { class: "hint" }, `Each curve is scaled to its strongest peak, square-root scale. Up to ${AT_ONCE} at once.`));
  nameMode();
  renderList();
  load();

  async function load() {
    try {
      await Promise.all(results.filter((r) => chosen.has(r.index) && !scans.has(r.index)).map(async (r) => {
        scans.set(r.index, await api.scan(r.scan));
      }));
      if (!gone) draw();
    } catch (error) {
      if (!gone) fill(problem, errorBox(error));
    }
  }

  function order() {
    return results.filter((r) => chosen.has(r.index) && scans.has(r.index));
  }

  function draw() {
    live?.destroy();
    live = null;
    fill(plotPlace);
    const drawn = order();
    if (!drawn.length) return;
    const tables = drawn.map((r, i) => {
      const { two_theta: x, intensity: y } = scans.get(r.index).preview;
      const top = Math.sqrt(Math.max(...y, 1e-12));
      const base = stacked ? drawn.length - 1 - i : 0;
      return [x, y.map((value) => base + (0.95 * Math.sqrt(Math.max(value, 0))) / top)];
    });
    const data = tables.length > 1 ? window.uPlot.join(tables) : tables[0];
    live = livePlot(plotPlace, (width) => newPlot({
      width, height: stacked ? 140 + 80 * drawn.length : 320, padding: [10, 14, 0, 0],
      cursor: { drag: { x: true, y: false }, points: { show: false }, y: false },
      scales: { x: { time: false }, y: { range: () => [0, stacked ? drawn.length : 1.02] } },
      axes: [angleAxis(), countAxis({ values: (u, splits) => splits.map(() => ""), size: 16 })],
      series: [{}, ...drawn.map((r) => ({ stroke: colourOf(r), width: 1.1, spanGaps: true, points: { show: false } }))],
    }, data, plotPlace));
  }

  function colourOf(result) {
    return phaseStyle([...chosen].indexOf(result.index)).colour;
  }

  function renderList() {
    // Of many, only those that are drawn have a button; the others are in a list.
    const few = results.length <= WITH_BUTTONS;
    const rest = few ? [] : results.filter((result) => !chosen.has(result.index));
    fill(list, results.filter((result) => few || chosen.has(result.index)).map((result) => {
      const on = chosen.has(result.index);
      const mark = h("span", { class: "sign patch", "aria-hidden": "true" });
      if (on) mark.style.background = colourOf(result);
      return h("button", { type: "button", class: "toggle", "aria-pressed": String(on), id: `curve-${result.index}`,
        "aria-disabled": String(!on && chosen.size >= AT_ONCE), onclick: () => toggle(result.index) }, mark, result.file);
    }), rest.length && chosen.size < AT_ONCE ? h("select", { "aria-label": "Draw another scan", id: "curve-add",
      onchange: (event) => toggle(Number(event.target.value)) }, h("option", { value: "" }, "another scan …"),
    rest.map((result) => h("option", { value: String(result.index) }, result.file))) : null);
  }

  function toggle(index) {
    if (chosen.has(index)) chosen.delete(index);
    else if (chosen.size < AT_ONCE) chosen.add(index);
    else return;
    renderList();
    (place.querySelector(`#curve-${index}`) ?? place.querySelector("#curve-add"))?.focus();
    load();
  }

  function nameMode() {
    mode.textContent = stacked ? "View: stacked" : "View: overlaid";
    mode.title = stacked ? "Click to lay them one over the other" : "Click to stack them";
  }

  return {
    destroy() {
      gone = true;
      live?.destroy();
    },
  };
}

/** Which scans are drawn at first: of many, some from the whole series. */
function atFirst(results) {
  if (results.length <= WITH_BUTTONS) return results.slice(0, AT_ONCE);
  return [0, 1, 2, 3].map((i) => results[Math.round((i * (results.length - 1)) / 3)]);
}
