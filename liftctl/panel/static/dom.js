// Elements from text only: nothing that comes from outside is ever parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";
const PATHS = {
  UP: "M12 3 21 13h-5.5v8h-7v-8H3z",
  DOWN: "M12 21 3 11h5.5V3h7v8H21z",
  LEFT: "M3 12 13 3v5.5h8v7h-8V21z",
  RIGHT: "M21 12 11 21v-5.5H3v-7h8V3z",
  high: "M8 2h8l6 6v8l-6 6H8l-6-6V8zM11 6v8h2V6zM11 16v2h2v-2z",
  medium: "M12 2 23 21H1zM11 9v6h2V9zM11 16.6v2h2v-2z",
  low: "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zM11 6v8h2V6zM11 16v2h2v-2z",
  tick: "M9.5 18.5 3 12l2-2 4.5 4.5L19 5l2 2z",
  bolt: "M13 2 4 14h6l-1 8 9-12h-6z",
};
PATHS.past = PATHS.low;
PATHS.STAND = PATHS.UP;
PATHS.SIT = PATHS.DOWN;

export const $ = (id) => document.getElementById(id);

/** An element; `props` are properties (class, on<event>, aria-*, data-*, or plain attributes). */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props || {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  path.setAttribute("fill-rule", "evenodd");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.append(path);
  return svg;
}

/** Touch the page only when something changed. */
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function flag(element, name, on) {
  element.classList.toggle(name, Boolean(on));
}
