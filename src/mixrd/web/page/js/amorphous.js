// Options: what is amorphous in the sample: drawn humps, or scans of the pure material.

import { upload } from "./api.js";
import { byId, fill, h } from "./dom.js";
import { change, draft } from "./draft.js";
import { dropZone } from "./drop_zone.js";
import { attempt } from "./notices.js";

/** The fields; `renderAmorphous` sets them. */
export function amorphousFields() {
  return h("fieldset", {}, h("legend", {}, "Glass, polymer"),
    h("p", { class: "hint" }, "Broad humps that are fitted beside the background. They get no wt% without a standard."),
    h("label", { for: "humps" }, "Position and width in 2θ, such as 22:8"),
    h("input", { id: "humps", autocomplete: "off", oninput: (event) => change({ humps: event.target.value.replace(/\s+/g, "") }) }),
    dropZone({ title: "Or scans of the pure material", accept: "", multiple: true, take: takeScans, small: true, id: "glass-drop" }),
    h("ul", { id: "glasses", class: "scan-list", "aria-label": "Scans of amorphous parts" }),
    h("div", { id: "glass-errors" }));
}

export function renderAmorphous() {
  const field = byId("humps");
  if (field !== document.activeElement) field.value = draft.humps;
  fill(byId("glasses"), draft.glasses.map(({ id, file }) => h("li", { class: "row" }, h("span", { class: "grow name" }, file),
    h("button", { type: "button", class: "quiet", "aria-label": `Remove ${file}`, onclick: () => remove(id) }, "✕"))));
}

/** What it says in the summary of the options, in parts. */
export function amorphousSummary() {
  return [...(draft.humps ? [`humps ${draft.humps}`] : []), ...draft.glasses.map(({ file }) => `amorphous part ${file}`)];
}

async function takeScans(files) {
  await attempt(byId("glass-errors"), async () => {
    for (const one of files) {
      const { id, file } = await upload("api/scans", one);
      change({ glasses: [...draft.glasses, { id, file }] });
    }
  });
}

function remove(id) {
  change({ glasses: draft.glasses.filter((one) => one.id !== id) });
  byId("glass-drop").focus();
}
