// Options: the method, standards, the size of the particles or how they were ground, regions left out.

import { amorphousFields, amorphousSummary, renderAmorphous } from "./amorphous.js";
import { byId, fill, h } from "./dom.js";
import { change, draft, onDraft } from "./draft.js";
import { externalFields, externalSummary, loadExternal, renderExternal } from "./external_standard.js";
import { loadNetworks, networkFields, networkSummary, renderNetwork } from "./network_file.js";

const METHODS = [
  ["both", "Network and refinement", "The network finds the start, the refinement the answer. The first analysis of these phases trains for some minutes; later ones start at once."],
  ["refine", "Refinement only", "Nothing is trained; seconds for each scan. Less sure where phases are many, weak or strained."],
  ["network", "Network only", "Milliseconds for each scan once it is trained; no fitted curve, no detection limits."],
];

const GRINDINGS = [
  ["", "not known"],
  ["by-hand", "by hand (5–20 µm)"],
  ["mccrone", "McCrone mill (1–4 µm)"],
  ["as-received", "as received, not ground (4–60 µm)"],
];

let names = null; // phases that the fields were drawn for

export function mountOptions() {
  fill(
    byId("options"),
    h("fieldset", { class: "choices three" }, h("legend", {}, "Method"), METHODS.map(([id, title, hint]) =>
      h("label", { class: "choice" },
        h("input", { type: "radio", name: "method", value: id, id: `method-${id}`, checked: draft.method === id, onchange: () => change({ method: id }) }),
        h("span", {}, h("span", { class: "choice-title" }, title), h("span", { class: "hint" }, hint))))),
    h("div", { class: "two" },
      h("fieldset", {}, h("legend", {}, "Internal standard"),
        h("p", { class: "hint" }, "A weighed-in phase tells how much of the sample is amorphous."),
        h("div", { class: "row end" },
          h("div", { class: "grow" }, h("label", { for: "internal-standard" }, "Phase"),
            h("select", { id: "internal-standard", onchange: (event) => change({ standard: { ...draft.standard, phase: event.target.value } }) })),
          h("div", {}, h("label", { for: "internal-percent" }, "wt% of the mixture"),
            h("input", { id: "internal-percent", class: "short", inputmode: "decimal", autocomplete: "off",
              oninput: (event) => change({ standard: { ...draft.standard, percent: event.target.value.trim().replace(",", ".") } }) })))),
      h("fieldset", {}, h("legend", {}, "Particles"),
        h("p", { class: "hint" }, "A diameter that is known corrects microabsorption (Brindley). If it is not, say how the powder was ground: the intervals allow for it."),
        h("div", { class: "row end" },
          h("div", {}, h("label", { for: "particle-size" }, "Diameter, µm"),
            h("input", { id: "particle-size", class: "short", inputmode: "decimal", autocomplete: "off",
              oninput: (event) => change({ size: event.target.value.trim().replace(",", ".") }) })),
          h("div", { class: "grow" }, h("label", { for: "grinding" }, "Ground"),
            h("select", { id: "grinding", onchange: (event) => change({ grinding: event.target.value }) },
              GRINDINGS.map(([id, title]) => h("option", { value: id }, title)))))),
      externalFields(),
      h("fieldset", {}, h("legend", {}, "Leave out"),
        h("p", { class: "hint" }, "Regions that the refinement leaves out: a line of the holder, a spike."),
        h("label", { for: "exclude" }, "Angles 2θ, such as 26.2-27.1"),
        h("input", { id: "exclude", autocomplete: "off", oninput: (event) => change({ exclude: event.target.value.trim() }) })),
      amorphousFields(),
      networkFields(),
      h("fieldset", {}, h("legend", {}, "Second opinion"),
        h("p", { class: "hint" }, "Another program refines each scan too, and where the two differ it is said."),
        h("label", { for: "second-opinion" }, "Program"),
        h("select", { id: "second-opinion", onchange: (event) => change({ second: event.target.value === "rietx" }) },
          h("option", { value: "" }, "none"), h("option", { value: "rietx" }, "rietx")))),
  );
  onDraft(render);
  loadExternal();
  loadNetworks();
}

function render() {
  for (const [id] of METHODS) {
    const input = byId(`method-${id}`);
    input.checked = draft.method === id;
    input.closest(".choice").classList.toggle("chosen", input.checked);
  }
  const ids = draft.phases.map((phase) => phase.id).join("\n");
  if (ids !== names) { // else a field would lose the focus while it is typed into
    names = ids;
    renderPhases();
  }
  byId("internal-standard").value = draft.standard.phase;
  if (byId("internal-percent") !== document.activeElement) byId("internal-percent").value = draft.standard.percent;
  if (byId("particle-size") !== document.activeElement) byId("particle-size").value = draft.size;
  if (byId("exclude") !== document.activeElement) byId("exclude").value = draft.exclude;
  byId("second-opinion").value = draft.second ? "rietx" : "";
  byId("grinding").value = draft.grinding;
  byId("grinding").disabled = draft.size !== ""; // a size that is known says more
  renderExternal();
  renderAmorphous();
  renderNetwork();
  byId("options-summary").textContent = summary();
}

function renderPhases() {
  fill(byId("internal-standard"), h("option", { value: "" }, "none"),
    draft.phases.map((phase) => h("option", { value: phase.id }, phase.name)));
}

function summary() {
  const parts = [METHODS.find(([id]) => id === draft.method)[1].toLowerCase()];
  const { phase, percent } = draft.standard;
  if (phase) parts.push(`${percent || "?"} wt% ${draft.phases.find((one) => one.id === phase)?.name ?? phase} as standard`);
  if (draft.size) parts.push(`particles of ${draft.size} µm`);
  else if (draft.grinding) parts.push(`ground ${GRINDINGS.find(([id]) => id === draft.grinding)[1]}`);
  if (draft.exclude) parts.push(`without ${draft.exclude}°`);
  parts.push(...amorphousSummary());
  if (draft.second) parts.push("second opinion by rietx");
  return [...parts, externalSummary(), networkSummary()].filter(Boolean).join(", ");
}
