// Plots as SVG, from numbers only.
import { language, number, t } from "/shared/words.js";

const NS = "http://www.w3.org/2000/svg";

export function s(tag, props, ...children) {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(props || {})) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const path = (points) => points.map(([x, y], n) => `${n ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

function scale(low, high, from, to) {
  const span = high - low || 1;
  return (value) => from + ((value - low) / span) * (to - from);
}

function plot(width, height, label, ...children) {
  return s("svg", { class: "plot", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, ...children);
}

export const day = (text) => new Date(text).toLocaleDateString(language, { day: "numeric", month: "short" });

/** A small multiple: one value a day, and where it stood at commissioning. */
export function trend(series, base, label) {
  const [w, h, top, bottom] = [300, 108, 12, 88];
  const values = series.map(([, value]) => value);
  const all = base === null ? values : [...values, base];
  const [low, high] = [Math.min(...all, 0), Math.max(...all) * 1.12 || 1];
  const days = series.map(([text]) => Date.parse(text));
  const x = scale(days[0], days.at(-1), 2, w - 34);
  const y = scale(low, high, bottom, top);
  const points = series.map(([, value], n) => [x(days[n]), y(value)]);
  if (points.length === 1) points.push([w - 34, points[0][1]]);
  const found = [
    s("path", { class: "area", d: `${path(points)}L${points.at(-1)[0]} ${bottom}L${points[0][0]} ${bottom}Z` }),
    s("path", { class: "line", d: path(points) }),
    s("line", { class: "grid-line", x1: 0, x2: w - 32, y1: bottom, y2: bottom }),
    s("text", { x: 0, y: h - 4 }, day(series[0][0])),
    s("text", { x: w - 34, y: h - 4, "text-anchor": "end" }, day(series.at(-1)[0])),
    s("text", { x: w - 28, y: y(high / 1.12) + 4 }, number(high / 1.12, high < 10 ? 1 : 0)),
    s("text", { x: w - 28, y: bottom + 4 }, number(low)),
  ];
  if (base !== null) found.push(s("line", { class: "base", x1: 0, x2: w - 34, y1: y(base), y2: y(base) }));
  return plot(w, h, label, ...found);
}

/** The last ten seconds before a stop: one lane for each signal, the stop at the right. */
export function frame(window) {
  const times = window.t_s ?? [];
  const names = Object.keys(window).filter((name) => name !== "t_s" && window[name].some(Number.isFinite));
  if (times.length < 2 || !names.length) return null;
  const w = innerWidth < 820 ? 360 : 720; // text keeps its size on a phone
  const [lane, left, right] = [76, 0, w - 46];
  const x = scale(times[0], 0, left + 12, right);
  const h = names.length * lane + 22;
  const lanes = names.flatMap((name, n) => one(name, window[name], times, x, n * lane, lane, left, right));
  const ticks = (w < 500 ? [-10, -5, 0] : [-10, -8, -6, -4, -2, 0]).filter((at) => at >= times[0] - 0.5);
  return plot(w, h, t("centre.frame"),
    ...ticks.map((at) => s("line", { class: "grid-line", x1: x(at), x2: x(at), y1: 4, y2: h - 20 })),
    ...lanes,
    s("line", { class: "stop", x1: x(0), x2: x(0), y1: 2, y2: h - 18 }),
    ...ticks.map((at) => s("text", { x: x(at), y: h - 4, "text-anchor": "middle" }, `${at} s`)));
}

function one(name, values, times, x, top, lane, left, right) {
  const known = values.filter(Number.isFinite);
  const [low, high] = [Math.min(...known, 0), Math.max(...known)];
  const y = scale(low, high === low ? low + 1 : high, top + lane - 12, top + 22);
  const runs = [[]];
  values.forEach((value, n) => {
    if (Number.isFinite(value)) runs.at(-1).push([x(times[n]), y(value)]);
    else if (runs.at(-1).length) runs.push([]);
  });
  return [
    s("text", { class: "name", x: left, y: top + 14 }, t(`signal.${name}`, {}, name)),
    s("line", { class: "grid-line", x1: left, x2: right, y1: y(low), y2: y(low) }),
    ...runs.filter((run) => run.length > 1).map((run) => s("path", { class: "line", d: path(run) })),
    s("text", { x: right + 8, y: top + 26 }, number(high, Math.abs(high) < 10 ? 1 : 0)),
    s("text", { x: right + 8, y: y(low) + 4 }, number(low)),
  ];
}

/** Transfers a month: by one carer, by two. */
export function months(rows) {
  const [w, h, left, bottom] = [720, 190, 44, 160];
  const most = Math.max(...rows.map((row) => row.analysed), 1);
  const step = (w - left) / rows.length;
  const y = scale(0, most, bottom, 14);
  const bars = rows.flatMap((row, n) => {
    const x = left + n * step + step * 0.18;
    const width = Math.min(step * 0.64, 70);
    return [
      s("rect", { class: "one", x, width, y: y(row.single_handed), height: bottom - y(row.single_handed) }),
      s("rect", { class: "two", x, width, y: y(row.analysed), height: Math.max(0, y(row.single_handed) - y(row.analysed)) }),
      s("text", { x: x + width / 2, y: bottom + 18, "text-anchor": "middle" },
        new Date(row.month).toLocaleDateString(language, { month: "short", year: "2-digit" })),
    ];
  });
  return plot(w, h, t("centre.months"),
    s("line", { class: "grid-line", x1: left, x2: w, y1: bottom, y2: bottom }),
    s("text", { x: 0, y: 18 }, number(most)), s("text", { x: 0, y: bottom + 4 }, "0"), ...bars);
}

export function share(value, kind) {
  const fill = { bad: "#b01019", watch: "#e0a526", good: "#57aeab" }[kind];
  return s("svg", { class: "bar", viewBox: "0 0 100 7", preserveAspectRatio: "none", "aria-hidden": "true" },
    s("rect", { width: 100, height: 7, fill: "#e3eaed" }), s("rect", { width: Math.max(1, value * 100), height: 7, fill }));
}
