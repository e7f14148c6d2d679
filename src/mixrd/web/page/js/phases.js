// Step 2: the candidate phases: catalog, CIF files, numbers of the COD.

import { api, upload } from "./api.js";
import { byId, fill, h } from "./dom.js";
import { change, draft, onDraft } from "./draft.js";
import { dropZone } from "./drop_zone.js";
import { formula, plural } from "./format.js";
import { announce, attempt, show } from "./notices.js";
import { phaseStyle } from "./palette.js";

const WAIT = 120; // ms without a key before the catalog is searched

let found = [];
let active = -1; // option that the arrow keys are at
let asked = 0; // the last search wins, whichever answer comes last

export function mountPhases() {
  fill(
    byId("phases"),
    h("ul", { id: "phase-chosen", class: "chips", "aria-label": "Chosen phases" }),
    h("label", { for: "phase-search" }, "Search the catalog"),
    h("input", {
      id: "phase-search", type: "search", autocomplete: "off", spellcheck: "false", placeholder: "corundum, Al2O3, carbonate …",
      role: "combobox", "aria-expanded": "true", "aria-controls": "phase-options", "aria-autocomplete": "list",
      "aria-describedby": "phase-hint", oninput: later(search), onkeydown: onKey,
    }),
    h("ul", { id: "phase-options", class: "options-list", role: "listbox", "aria-multiselectable": "true", "aria-label": "Catalog" }),
    h("p", { id: "phase-hint", class: "hint" }, "↑ ↓ and Enter choose."),
    h("details", { id: "phase-more" }, h("summary", {}, "Not in the catalog? CIF file or COD number"),
      dropZone({ title: "Drop CIF files, or choose them", accept: ".cif", multiple: true, take: takeCifs, small: true, id: "cif-drop" }),
      h("form", { class: "row end", id: "cod-form", onsubmit: takeCod },
        h("div", { class: "grow" }, h("label", { for: "cod-number" }, "Number in the Crystallography Open Database"),
          h("input", { id: "cod-number", inputmode: "numeric", placeholder: "1000017", autocomplete: "off" })),
        h("button", { type: "submit", id: "cod-get" }, "Get")),
      h("p", { class: "hint" }, "The server then asks crystallography.net; nothing else leaves it.")),
    h("div", { id: "phase-errors" }),
  );
  onDraft(renderChosen);
  search();
}

/** CIF files, one after the other. */
export async function takeCifs(files) {
  byId("phase-more").open = true;
  for (const file of files) {
    await attempt(byId("phase-errors"), async () => choose(await upload("api/phases/cif", file)));
  }
}

async function takeCod(event) {
  event.preventDefault();
  const field = byId("cod-number");
  const text = field.value.trim().replace(/^cod[\s:-]*/i, "");
  if (!/^\d{7}$/.test(text)) {
    show(byId("phase-errors"), { message: "A COD number has seven digits", remedy: "For example 1000017, corundum." });
    field.focus();
    return;
  }
  const button = byId("cod-get");
  button.disabled = true;
  button.textContent = "Asking …";
  const well = await attempt(byId("phase-errors"), async () => choose(await api.codPhase(Number(text)).catch((error) => {
    if (error.code === "DATABASE") error.remedy = "Try again later, or get the CIF file elsewhere and drop it above.";
    throw error;
  })));
  button.disabled = false;
  button.textContent = "Get";
  if (well) field.value = "";
}

async function search() {
  const query = byId("phase-search").value.trim();
  const mine = ++asked;
  try {
    const answer = await api.phases(query);
    if (mine !== asked) return;
    found = answer;
    active = query && found.length ? 0 : -1;
    renderOptions();
    if (query) announce(`${plural(found.length, "phase")} found`);
  } catch (error) {
    if (mine === asked) show(byId("phase-errors"), error);
  }
}

function onKey(event) {
  const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: 6, PageUp: -6 };
  if (event.key in moves && found.length) {
    event.preventDefault();
    active = Math.max(0, Math.min(found.length - 1, active + moves[event.key]));
    renderActive();
  } else if (event.key === "Enter") {
    event.preventDefault();
    if (found[active]) toggle(found[active]);
    event.target.select(); // the next letters replace these
  } else if (event.key === "Escape" && event.target.value) {
    event.preventDefault();
    event.target.value = "";
    search();
  }
}

function toggle(phase) {
  if (isChosen(phase.id)) remove(phase.id);
  else choose(phase);
}

function choose(phase) {
  if (isChosen(phase.id)) return;
  change({ phases: [...draft.phases, phase] });
  announce(`${phase.name} chosen, ${plural(draft.phases.length, "phase")} in all`);
}

function remove(id) {
  const phase = draft.phases.find((one) => one.id === id);
  change({ phases: draft.phases.filter((one) => one.id !== id) });
  if (phase) announce(`${phase.name} removed`);
}

function isChosen(id) {
  return draft.phases.some((phase) => phase.id === id);
}

function renderChosen() {
  fill(byId("phase-chosen"), draft.phases.map((phase, i) => {
    const swatch = h("span", { class: "swatch", "aria-hidden": "true" });
    swatch.style.background = phaseStyle(i).colour;
    // What had to be decided when a CIF was read; the catalog's entries were looked at by people.
    const notes = phase.kind === "catalog" ? [] : phase.notes ?? [];
    return h("li", { class: "chip", title: [phase.reference, ...notes].filter(Boolean).join("\n") }, swatch, phase.name, h("span", { class: "hint" }, formula(phase.formula)),
      notes.length ? h("span", { class: "doubt", role: "img", "aria-label": notes.join(" ") }, "⚠") : null,
      h("button", { type: "button", class: "quiet", "aria-label": `Remove ${phase.name}`,
        onclick: () => { remove(phase.id); byId("phase-search").focus(); } }, "✕"));
  }));
  renderOptions();
}

function renderOptions() {
  const list = byId("phase-options");
  const place = list.scrollTop;
  if (!found.length) {
    fill(list, h("li", { class: "empty" }, "Nothing of this name or formula in the catalog: give its CIF file or COD number below."));
  } else {
    fill(list, found.map((phase, i) => h(
      "li",
      {
        id: `phase-option-${i}`, role: "option", "aria-selected": String(isChosen(phase.id)), class: "option",
        title: [phase.space_group, phase.reference].filter(Boolean).join("; "),
        onclick: () => { active = i; toggle(phase); },
      },
      h("span", { class: "tick", "aria-hidden": "true" }, isChosen(phase.id) ? "✓" : ""),
      h("span", { class: "grow" }, phase.name),
      h("span", { class: "hint" }, formula(phase.formula)),
    )));
  }
  list.scrollTop = place;
  renderActive();
}

function renderActive() {
  const list = byId("phase-options");
  [...list.children].forEach((option, i) => option.classList.toggle("active", i === active));
  const option = list.children[active];
  const field = byId("phase-search");
  if (!option) {
    field.removeAttribute("aria-activedescendant");
    return;
  }
  field.setAttribute("aria-activedescendant", option.id);
  // Within the list only: the page must not jump.
  if (option.offsetTop < list.scrollTop) list.scrollTop = option.offsetTop;
  const below = option.offsetTop + option.offsetHeight - list.clientHeight;
  if (below > list.scrollTop) list.scrollTop = below;
}

function later(task) {
  let timer = 0;
  return () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(task, WAIT);
  };
}
