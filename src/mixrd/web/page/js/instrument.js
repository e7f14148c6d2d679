// Step 3: the instrument: generic, preset, the user's own, or calibrated here.

import { api, upload } from "./api.js";
import { mountCalibration } from "./calibration.js";
import { byId, fill, h } from "./dom.js";
import { change, draft, namedRadiation, onDraft } from "./draft.js";
import { dropZone } from "./drop_zone.js";
import { announce, attempt } from "./notices.js";
import { radiationTitle, radiations } from "./radiations.js";

const OTHER = "other";

let known = [];
let other = false; // a wavelength is to be typed

export async function mountInstrument() {
  fill(
    byId("instrument"),
    h("fieldset", { class: "choices", id: "instrument-choices" }),
    h("div", { id: "radiation-choice" }),
    h("details", { id: "own-instrument" }, h("summary", {}, "Own instrument file"),
      dropZone({ title: "Drop a TOML file, or choose it", hint: "from `mixrd calibrate`, or from a calibration here", accept: ".toml",
        take: takeToml, small: true, id: "toml-drop" })),
    h("details", { id: "calibration" }, h("summary", {}, "Calibrate from the scan of a standard"), h("div", { id: "calibration-form" })),
    h("div", { id: "instrument-errors" }),
  );
  mountCalibration(byId("calibration-form"), useInstrument);
  onDraft(render);
  await loadInstruments();
}

export async function loadInstruments() {
  known = await api.instruments();
  if (draft.instrument && !known.some((instrument) => instrument.id === draft.instrument)) change({ instrument: null });
  else render();
  return known;
}

export function instrumentTitle(id) {
  return known.find((instrument) => instrument.id === id)?.title ?? id;
}

/** Choose an instrument that has just been made. */
export async function useInstrument(id) {
  await loadInstruments();
  change({ instrument: id });
  announce(`Instrument ${instrumentTitle(id)} chosen`);
}

async function takeToml(files) {
  await attempt(byId("instrument-errors"), async () => {
    const made = await upload("api/instruments", files[0]);
    await useInstrument(made.id);
    byId("own-instrument").open = false;
  });
}

function render() {
  const named = namedRadiation();
  fill(
    byId("instrument-choices"),
    h("legend", { class: "unseen" }, "Instrument"),
    choice(null, "Generic laboratory diffractometer", genericHint(named), ""),
    [...known].sort((a, b) => (a.kind === b.kind ? 0 : a.kind === "own" ? -1 : 1)).map((instrument) => choice(
      instrument.id, instrument.title || instrument.id,
      [radiationTitle(instrument.radiation), instrument.goniometer_radius_mm ? `radius ${instrument.goniometer_radius_mm} mm` : null]
        .filter(Boolean).join(", "),
      named && instrument.radiation !== named ? `⚠ the file names ${radiationTitle(named)}` : "",
      instrument.kind === "own",
    )),
  );
  fill(byId("radiation-choice"), draft.instrument === null ? radiationChoice(named) : null);
}

function takeWavelength(text) {
  const typed = text.trim().replace(",", ".");
  change({ radiation: Number(typed) > 0 ? typed : null });
}

function genericHint(named) {
  if (named) return `${radiationTitle(named)} and radius as the file says`;
  return draft.scans.length ? "with the radiation chosen below" : "with the radiation that the file names";
}

function choice(id, title, hint, doubt, own = false) {
  const chosen = draft.instrument === id;
  const input = h("input", {
    type: "radio", name: "instrument", value: id ?? "", checked: chosen, id: `instrument-${id ?? "generic"}`,
    onchange: () => {
      change({ instrument: id });
      byId(`instrument-${id ?? "generic"}`).focus(); // the list was drawn anew
    },
  });
  return h("label", { class: chosen ? "choice chosen" : "choice" }, input,
    h("span", { class: "grow" }, h("span", { class: "choice-title" }, title, own ? h("span", { class: "tag" }, "own") : null),
      h("span", { class: "hint" }, hint), doubt ? h("span", { class: "doubt small" }, doubt) : null));
}

function radiationChoice(named) {
  const needed = draft.scans.length > 0 && named === null && !draft.radiation;
  const custom = other || (draft.radiation !== null && !radiations().some((one) => one.id === draft.radiation));
  const automatic = named === null && draft.scans.length
    ? "choose: the file does not say" : "as the file says";
  return [
    h("label", { for: "radiation" }, "Radiation"),
    h("select", {
      id: "radiation", "aria-invalid": String(needed), "aria-describedby": "radiation-hint",
      onchange: (event) => {
        other = event.target.value === OTHER;
        change({ radiation: other ? null : event.target.value || null });
        byId(other ? "wavelength" : "radiation").focus(); // the fields were drawn anew
      },
    }, h("option", { value: "" }, automatic),
    radiations().map((one) => h("option", { value: one.id, selected: one.id === draft.radiation }, radiationTitle(one.id))),
    h("option", { value: OTHER, selected: custom }, "another wavelength …")),
    custom ? [h("label", { for: "wavelength" }, "Wavelength, Å"),
      h("input", { id: "wavelength", class: "short", inputmode: "decimal", autocomplete: "off", value: draft.radiation ?? "",
        onchange: (event) => takeWavelength(event.target.value) })] : null,
    h("p", { class: needed ? "doubt small" : "hint", id: "radiation-hint" }, needed
      ? "The file does not name its wavelength, and mixrd never guesses it. Choose the tube, or an instrument above. Most laboratory instruments have a copper tube: ask whoever measured."
      : ""),
  ];
}
