// The fleet, by risk to today's transfers.
import { h, icon } from "/shared/dom.js";
import { number, t } from "/shared/words.js";
import { ago, gauge, kindOf } from "./say.js";
import { get, path } from "./net.js";
import { share } from "./plots.js";

const PAGE = 50;
const asked = { municipality: "", home: "", search: "", limit: PAGE };

export async function fleet(me, again) {
  const found = await get(`/api/fleet?${new URLSearchParams(asked)}`);
  return [sums(found.summary), tools(me, again), list(found, again), await explain()];
}

function sums({ devices, usual, risk, bad, watch, homes }) {
  return h("section", { class: "sums" },
    h("div", { class: "sum first" }, h("b", {}, gauge(risk), h("small", {}, ` ${t("centre.of")} ${gauge(usual)}`)), h("span", {}, t("centre.at_risk_today"))),
    h("div", { class: "sum bad" }, h("b", {}, number(bad)), h("span", {}, t("centre.act_now"))),
    h("div", { class: "sum watch" }, h("b", {}, number(watch)), h("span", {}, t("centre.keep_watch"))),
    h("div", { class: "sum good" }, h("b", {}, number(devices - bad - watch), h("small", {}, ` / ${number(devices)}`)), h("span", {}, t("centre.well", { homes: number(homes) }))));
}

function tools(me, again) {
  const ask = (change) => {
    Object.assign(asked, change, { limit: PAGE });
    again();
  };
  const towns = [...new Map(me.places.map((item) => [item.municipality, item.title]))];
  const homes = me.places.filter((item) => !asked.municipality || item.municipality === asked.municipality);
  return h("div", { class: "tools" },
    h("h1", {}, t("centre.fleet")),
    towns.length > 1 ? choice(t("centre.all_municipalities"), towns, asked.municipality, (value) => ask({ municipality: value, home: "" })) : null,
    homes.length > 1 ? choice(t("centre.all_homes"), homes.map((item) => [item.home, item.home_title]), asked.home, (value) => ask({ home: value })) : null,
    h("input", { type: "search", id: "search", placeholder: t("centre.search"), "aria-label": t("centre.search"), value: asked.search, maxlength: 100,
      onchange: (event) => ask({ search: event.target.value }) }));
}

function choice(all, options, chosen, on) {
  return h("select", { "aria-label": all, onchange: (event) => on(event.target.value) },
    h("option", { value: "" }, all),
    ...options.map(([value, label]) => h("option", { value, selected: value === chosen }, label)));
}

function list({ devices, summary }, again) {
  if (!devices.length) return h("p", { class: "empty" }, t("centre.nothing"));
  const more = devices.length < summary.devices && asked.limit < 500;
  return h("section", { class: "fleet" }, ...devices.map(row), more
    ? h("button", { class: "button", onclick: () => { asked.limit = Math.min(500, asked.limit + 100); again(); } }, t("centre.more", { n: number(summary.devices - devices.length) }))
    : null);
}

function row(device) {
  const kind = kindOf(device.share);
  return h("a", { class: `row ${kind}`, href: `#/device/${path(device.municipality, device.controller)}` },
    h("div", { class: "at" },
      h("b", {}, gauge(device.risk)), share(device.share, kind),
      h("span", {}, t("centre.of_today", { n: gauge(device.usual) }))),
    h("div", { class: "name" }, h("h3", {}, device.title), h("p", { class: "soft small" }, `${device.home_title} · ${device.controller}`)),
    chips(device),
    h("p", { class: "last" }, t("centre.durable", { ago: ago(device.durable_age_s) }), h("br"), battery(device.battery_pct)));
}

const battery = (pct) => (Number.isFinite(pct) ? t("centre.battery", { pct: number(pct) }) : "");

export function chips(device) {
  if (!device.reasons.length) return h("div", { class: "chips" }, h("span", { class: "chip good" }, icon("tick"), t("centre.no_reason")));
  return h("div", { class: "chips" }, ...device.reasons.map((code) =>
    h("span", { class: `chip ${kindOf(shares.get(code) ?? 0) === "bad" ? "bad" : ""}` }, icon(kindOf(shares.get(code) ?? 0) === "bad" ? "high" : "medium"), t(`risk.${code}`))));
}

export const shares = new Map();

export async function learn() {
  for (const item of await get("/api/risk")) shares.set(item.code, item.share);
}

async function explain() {
  const rows = [...shares].map(([code, value]) => h("tr", {}, h("td", {}, t(`risk.${code}`)), h("td", { class: "num" }, `${number(value * 100)} %`)));
  return h("details", { class: "card explain" }, h("summary", {}, t("centre.how_risk")),
    h("p", {}, t("centre.risk_formula")), h("p", { class: "soft" }, t("centre.risk_honest")),
    h("table", {}, h("thead", {}, h("tr", {}, h("th", {}, t("centre.reason")), h("th", { class: "num" }, t("centre.share")))), h("tbody", {}, ...rows)));
}
