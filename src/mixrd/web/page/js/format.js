// How numbers are written for people: rounding and units, nothing is calculated here.

const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉";
const THIN = "\u202f";
const FIRM = "\u00a0"; // no line ends here

/** Decimals at which wt% of this standard uncertainty are written: 1, or 2 where they are known better than 0.1. */
export function decimalsFor(sigma) {
  return sigma >= 0.095 ? 1 : 2;
}

/** "31.4 ± 1.2", not to be broken; without an uncertainty one decimal. */
export function withSigma(value, sigma) {
  if (sigma === null || sigma === undefined) return value.toFixed(1);
  const decimals = decimalsFor(sigma);
  return `${value.toFixed(decimals)}${FIRM}±${FIRM}${sigma.toFixed(decimals)}`;
}

/** "30.0 – 34.5", the decimals those of the value beside it. */
export function intervalText([low, high], sigma) {
  const decimals = sigma === null || sigma === undefined ? 1 : decimalsFor(sigma);
  return `${low.toFixed(decimals)}${FIRM}–${FIRM}${high.toFixed(decimals)}`;
}

/** A fraction 0-1 as percent with three digits. */
export function percent(fraction) {
  const value = 100 * fraction;
  return `${value >= 10 ? value.toFixed(1) : value.toFixed(2)} %`;
}

/** Two significant digits, never in powers of ten: 0.74, 1.9, 260. */
export function twoDigits(value) {
  if (value === 0) return "0";
  const decimals = 1 - Math.floor(Math.log10(Math.abs(value)));
  return decimals > 0 ? value.toFixed(Math.min(decimals, 6)) : String(Number(value.toPrecision(2)));
}

/** Crystallographers' way: 4.7567(5). */
export function withEsd(value, sigma) {
  if (!sigma) return value.toFixed(4);
  const decimals = Math.max(0, Math.ceil(-Math.log10(sigma / 1.95)));
  const digits = Math.round(sigma * 10 ** decimals);
  return decimals > 6 ? value.toFixed(6) : `${value.toFixed(decimals)}(${digits})`;
}

/** A cell without what follows from the rest: ["a 4.7567(5)", "c 12.985(1) Å"]. */
export function cellText(cell, sigma) {
  const [a, b, c, ...angles] = cell;
  const s = sigma ?? [];
  const parts = [`a ${withEsd(a, s[0])}`];
  if (Math.abs(b - a) > 5e-5) parts.push(`b ${withEsd(b, s[1])}`);
  if (Math.abs(c - a) > 5e-5) parts.push(`c ${withEsd(c, s[2])}`);
  parts[parts.length - 1] += " Å";
  angles.forEach((angle, i) => {
    const usual = Math.abs(angle - 90) < 5e-3 || Math.abs(angle - 120) < 5e-3;
    if (!usual) parts.push(`${"αβγ"[i]} ${withEsd(angle, s[3 + i])}°`);
  });
  return parts;
}

/** "260 ± 120 nm"; a crystallite size whose lines are no broader than the instrument's has no number. */
export function sizeText(phase) {
  if (phase.crystallite_size_nm === null || phase.crystallite_size_nm === undefined) {
    return phase.cell ? "no broadening" : "–";
  }
  const size = phase.crystallite_size_nm;
  const sigma = phase.crystallite_size_sigma_nm;
  if (!sigma) return `${twoDigits(size)} nm`;
  const unit = 10 ** (Math.floor(Math.log10(sigma)) - (sigma < 30 ? 0 : 1));
  const round = (x) => (unit >= 1 ? Math.round(x / unit) * unit : x.toFixed(1));
  return `${round(size)} ± ${round(sigma)} nm`;
}

/** "40 s", "3 min", "1 h 20 min". */
export function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** "7 250". */
export function count(number) {
  return String(Math.round(number)).replace(/\B(?=(\d{3})+(?!\d))/g, THIN);
}

/** "92 MB". */
export function bytes(size) {
  if (size < 1e5) return `${twoDigits(size / 1e3)} kB`;
  if (size < 1e9) return `${size < 1e7 ? (size / 1e6).toFixed(1) : Math.round(size / 1e6)} MB`;
  return `${(size / 1e9).toFixed(1)} GB`;
}

/** "Al₂O₃". */
export function formula(text) {
  return (text ?? "").replace(/(?<=[A-Za-z)\]])[\d.]+/g, (number) =>
    number.replace(/\d/g, (digit) => SUBSCRIPTS[Number(digit)]));
}

/** A number that always has its sign. */
export function signed(value, decimals) {
  return `${value >= 0 ? "+" : "−"}${Math.abs(value).toFixed(decimals)}`;
}

/** When something was, short: time today, else the date. */
export function moment(value) {
  const date = new Date(typeof value === "number" ? value * 1000 : value);
  if (Number.isNaN(date.getTime())) return "";
  const today = new Date().toDateString() === date.toDateString();
  const time = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return today ? `today ${time}` : `${date.toLocaleDateString([], { dateStyle: "medium" })} ${time}`;
}

/** "a, b and c". */
export function listed(parts) {
  if (parts.length < 2) return parts.join("");
  return `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}

/** "1 scan", "3 scans". */
export function plural(number, word) {
  return `${count(number)} ${word}${number === 1 ? "" : "s"}`;
}
