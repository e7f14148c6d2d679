// Building elements. What comes from files or the server is always text, never HTML.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element with attributes, event listeners ("onclick": function) and children (text, nodes, lists; null is skipped).
 * `class`, `hidden`, `disabled`, ... as attributes; a value of false, null or undefined leaves the attribute out.
 */
export function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

/** Give an element other children. */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
  return element;
}

export function byId(id) {
  return document.getElementById(id);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...nodes(children));
  return element;
}

function nodes(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false && child !== "");
}
