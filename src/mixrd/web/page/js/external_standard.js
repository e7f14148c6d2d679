// Options: an external standard, and what the amorphous part is made of.

import { api, upload } from "./api.js";
import { byId, fill, h } from "./dom.js";
import { change, draft } from "./draft.js";
import { dropZone } from "./drop_zone.js";
import { attempt } from "./notices.js";

/** The fields; `renderExternal` fills them. */
export function externalFields() {
  const set = (changes) => change({ external: { ...draft.external, ...changes } });
  return h("fieldset", {}, h("legend", {}, "External standard"),
    h("p", { class: "hint" }, "A scan of a pure phase, measured as the samples were, tells how much is amorphous, too."),
    h("label", { for: "external-standard" }, "Pure phase"),
    h("select", { id: "external-standard", onchange: (event) => set({ phase: event.target.value }) }, h("option", { value: "" }, "none")),
    dropZone({ title: "Its scan", accept: "", take: (files) => takeScan(files[0]), small: true, id: "external-drop" }),
    h("p", { id: "external-scan", class: "name" }),
    h("label", { for: "amorphous-formula" }, "Formula of the amorphous part"),
    h("input", { id: "amorphous-formula", autocomplete: "off", maxlength: "200", placeholder: "SiO2, if known",
      oninput: (event) => set({ formula: event.target.value.trim() }) }),
    h("div", { id: "external-errors" }));
}

/** Phases to choose from: all that the server knows. */
export async function loadExternal() {
  await attempt(byId("external-errors"), async () => {
    const phases = await api.phases("");
    fill(byId("external-standard"), h("option", { value: "" }, "none"), phases.map((phase) => h("option", { value: phase.id }, phase.name)));
    renderExternal();
  });
}

export function renderExternal() {
  const { phase, scan, formula } = draft.external;
  byId("external-standard").value = phase;
  byId("external-scan").textContent = scan?.file ?? "";
  const field = byId("amorphous-formula");
  if (field !== document.activeElement) field.value = formula;
}

/** What it says in the summary of the options; "" without one. */
export function externalSummary() {
  const { phase, formula } = draft.external;
  if (!phase) return "";
  const name = byId("external-standard").selectedOptions[0]?.textContent || phase;
  return `${name} as external standard${formula ? `, amorphous part ${formula}` : ""}`;
}

async function takeScan(file) {
  if (!file) return;
  await attempt(byId("external-errors"), async () => {
    const scan = await upload("api/scans", file);
    change({ external: { ...draft.external, scan: { id: scan.id, file: scan.file } } });
  });
}
