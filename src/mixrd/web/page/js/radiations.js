// The tubes that the server knows.

import { api } from "./api.js";

let known = [];

export async function loadRadiations() {
  known = await api.radiations();
  return known;
}

export function radiations() {
  return known;
}

/** "Cu Kα1 + Kα2, 1.5406 Å". */
export function radiationTitle(id) {
  const found = known.find((radiation) => radiation.id === id);
  if (!found) return Number(id) > 0 ? `${id} Å` : String(id);
  return found.wavelength_angstrom ? `${found.title}, ${found.wavelength_angstrom.toFixed(4)} Å` : found.title;
}
