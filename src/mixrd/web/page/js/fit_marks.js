// Reflection marks below the fit, and "?" at lines that no phase explains.

import { phaseStyle, themed } from "./palette.js";

const ROW = 13; // px

/** A canvas with a row of marks for each phase; draw(plot, shown) follows the plot's x range. */
export function marksStrip(canvas, names, marks) {
  const height = ROW * names.length + 2;
  return (plot, shown) => {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = plot.width * ratio;
    canvas.height = height * ratio;
    canvas.style.width = `${plot.width}px`;
    canvas.style.height = `${height}px`;
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const left = plot.bbox.left / ratio;
    const width = plot.bbox.width / ratio;
    const { min, max } = plot.scales.x;
    pen.font = "11px system-ui, sans-serif";
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    names.forEach((name, i) => {
      const { colour } = phaseStyle(i);
      const top = i * ROW + 2;
      pen.globalAlpha = shown[i] ? 1 : 0.25;
      pen.fillStyle = themed("ink");
      pen.fillText(shortened(pen, name, left - 10), left - 6, top + ROW / 2 - 1);
      pen.fillStyle = colour;
      for (const x of marks[i]) {
        if (x >= min && x <= max) pen.fillRect(left + ((x - min) / (max - min)) * width - 0.6, top, 1.3, ROW - 3);
      }
    });
    pen.globalAlpha = 1;
  };
}

/** A hook that draws "?" at the top of a plot where a line is unexplained. */
export function questionMarks(lines) {
  const places = lines.filter((line) => !line.remark).map((line) => line.two_theta_deg).sort((a, b) => a - b);
  return (u) => {
    const { ctx: pen, bbox } = u;
    const ratio = window.devicePixelRatio || 1;
    pen.save();
    pen.fillStyle = themed("alarm");
    pen.strokeStyle = themed("alarm");
    pen.font = `bold ${14 * ratio}px system-ui, sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "top";
    let before = -Infinity;
    for (const x of places) {
      if (x < u.scales.x.min || x > u.scales.x.max) continue;
      const at = u.valToPos(x, "x", true);
      if (at - before > 9 * ratio) pen.fillText("?", (before = at), bbox.top + 1);
      pen.globalAlpha = 0.35;
      pen.setLineDash([2 * ratio, 3 * ratio]);
      pen.beginPath();
      pen.moveTo(at, bbox.top + 17 * ratio);
      pen.lineTo(at, bbox.top + bbox.height);
      pen.stroke();
      pen.globalAlpha = 1;
    }
    pen.restore();
  };
}

function shortened(pen, name, room) {
  if (pen.measureText(name).width <= room) return name;
  let end = name.length;
  while (end > 1 && pen.measureText(`${name.slice(0, end)}…`).width > room) end -= 1;
  return `${name.slice(0, end)}…`;
}
