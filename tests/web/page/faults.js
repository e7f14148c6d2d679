// Elements without a name, ids that stand twice, labels of nothing: what a screen reader could not tell.
() => {
  const faults = [];
  const shown = (e) => e.checkVisibility() && !e.closest("[aria-hidden=true]");
  const text = (id) => document.getElementById(id)?.textContent ?? "";
  const name = (e) => (
    e.getAttribute("aria-label") ||
    (e.getAttribute("aria-labelledby") ?? "").split(" ").map(text).join("") ||
    [...(e.labels ?? [])].map((label) => label.textContent).join("") ||
    e.textContent || e.title || ""
  ).trim();

  const named = "button, a[href], input, summary, [tabindex='0'], [role=img], [role=group], [role=listbox]";
  for (const e of document.querySelectorAll(named)) {
    if (shown(e) && !name(e)) faults.push(`no name: ${e.outerHTML.slice(0, 120)}`);
  }
  for (const e of document.querySelectorAll("select")) {
    if (shown(e) && !e.labels.length && !e.getAttribute("aria-label")) faults.push(`no label: ${e.id}`);
  }
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`id twice: ${id}`);
  for (const relation of ["for", "aria-controls", "aria-describedby", "aria-labelledby", "aria-activedescendant"]) {
    for (const e of document.querySelectorAll(`[${relation}]`)) {
      if (!shown(e)) continue;
      for (const id of e.getAttribute(relation).split(" ")) {
        if (!document.getElementById(id)) faults.push(`${relation} of nothing: ${id}`);
      }
    }
  }
  for (const e of document.querySelectorAll("[tabindex]")) {
    if (Number(e.getAttribute("tabindex")) > 0) faults.push("the order of focus is set");
  }
  if (!document.documentElement.lang) faults.push("no language");
  if (![...document.querySelectorAll("h1")].some(shown)) faults.push("no heading");
  for (const e of document.querySelectorAll("table")) {
    if (shown(e) && !e.querySelector("th[scope=col]")) faults.push("a table without heads");
  }
  return faults;
}
