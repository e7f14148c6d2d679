// Options: a trained network of the user's, instead of one that is trained here.

import { api, upload } from "./api.js";
import { byId, fill, h } from "./dom.js";
import { change, draft } from "./draft.js";
import { dropZone } from "./drop_zone.js";
import { announce, attempt } from "./notices.js";

let known = [];

/** The fields; `renderNetwork` sets them. */
export function networkFields() {
  return h("fieldset", {}, h("legend", {}, "Trained network"),
    h("p", { class: "hint" }, "A file of `mixrd train` is taken instead of training one; it brings its phases."),
    h("label", { for: "network-file" }, "Network"),
    h("select", { id: "network-file", onchange: (event) => choose(event.target.value) }),
    dropZone({ title: "Its file", accept: ".mixrd", take: (files) => takeNetwork(files[0]), small: true, id: "network-drop" }),
    h("div", { id: "network-errors" }));
}

/** The networks that the server has. */
export async function loadNetworks() {
  await attempt(byId("network-errors"), async () => {
    known = await api.models();
    fill(byId("network-file"), h("option", { value: "" }, "trained here"),
      known.map((model) => h("option", { value: model.id }, `${model.title} (${model.phases.join(", ")})`)));
    if (draft.model && !known.some((model) => model.id === draft.model.id)) choose("");
    else renderNetwork();
  });
}

export function renderNetwork() {
  byId("network-file").value = draft.model?.id ?? "";
}

/** What it says in the summary of the options; "" without one. */
export function networkSummary() {
  return draft.model ? `network ${draft.model.title}` : "";
}

function choose(id) {
  const model = known.find((one) => one.id === id);
  change({ model: model ? { id, title: model.title } : null });
}

/** Send a file and choose it. */
export async function takeNetwork(file) {
  await attempt(byId("network-errors"), async () => {
    const model = await upload("api/models", file);
    await loadNetworks();
    choose(model.id);
    announce(`${model.title} was read: a network for ${model.phases.join(", ")}`);
  });
}
