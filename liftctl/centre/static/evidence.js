// Evidence across homes: counts and sums; intervals are by resident and stay with the homes.
import { h } from "/shared/dom.js";
import { number, t } from "/shared/words.js";
import { get } from "./net.js";
import { months } from "./plots.js";
import { date, when } from "./say.js";

let days = 90;

export async function evidence(me, again) {
  const { since, homes, months: told } = await get(`/api/evidence?days=${days}`);
  const all = (name) => homes.reduce((sum, home) => sum + home[name], 0);
  return [
    h("div", { class: "tools" }, h("h1", {}, t("centre.evidence")), h("select", { "aria-label": t("centre.period"), onchange: (event) => { days = Number(event.target.value); again(); } },
      ...[30, 90, 365].map((n) => h("option", { value: n, selected: n === days }, t("centre.days", { n }))))),
    h("section", { class: "sums" },
      h("div", { class: "sum first" }, h("b", {}, percent(all("single_handed"), all("analysed"))), h("span", {}, t("centre.single_handed_of", { n: number(all("analysed")) }))),
      sum(number(all("staff_s") / 3600), t("centre.staff_hours")), sum(number(all("fallback2")), t("centre.fallbacks")), sum(number(all("adverse")), t("centre.adverse"))),
    told.length ? h("section", { class: "card" }, h("header", {}, h("h2", {}, t("centre.months")), h("span", { class: "small soft" }, t("centre.since", { date: date(since) })), h("span", { class: "small soft" }, h("i", { class: "key one" }), t("centre.one_carer"), " ", h("i", { class: "key" }), t("centre.two_carers"))), h("div", { class: "scroll" }, months(told))) : null,
    table(homes),
    h("p", { class: "soft" }, t("centre.evidence_note")),
  ];
}

const percent = (part, whole) => (whole >= 10 ? `${number((100 * part) / whole)} %` : "–");
const sum = (value, label) => h("div", { class: "sum" }, h("b", {}, value), h("span", {}, label));

function table(homes) {
  const columns = ["logged", "analysed", "single", "staff_per", "fallback2", "adverse", "blocks_per"];
  const cells = (home) => [number(home.logged), number(home.analysed), percent(home.single_handed, home.analysed), home.analysed ? number(home.staff_s / home.analysed) : "–",
    number(home.fallback2), number(home.adverse), home.logged ? number((1000 * home.blocks) / home.logged) : "–"];
  return h("section", { class: "card" }, h("h2", {}, t("centre.by_home")), h("div", { class: "scroll" }, h("table", {},
    h("thead", {}, h("tr", {}, h("th", {}, t("centre.home")), ...columns.map((name) => h("th", { class: "num" }, t(`column.${name}`))))),
    h("tbody", {}, ...homes.map((home) => h("tr", {}, h("td", {}, home.home_title, h("br"), h("span", { class: "soft small" }, home.municipality)), ...cells(home).map((text) => h("td", { class: "num" }, text))))))));
}

export async function audit() {
  const rows = await get("/api/audit");
  return [h("h1", {}, t("centre.audit")), h("section", { class: "card" }, rows.length ? h("div", { class: "scroll" }, h("table", {}, h("tbody", {},
    ...rows.map((row) => h("tr", {}, h("td", {}, when(row.at)), h("td", {}, row.who), h("td", {}, row.what), h("td", { class: "mono" }, JSON.stringify(row.detail))))))) : h("p", { class: "empty" }, t("centre.no_audit")))];
}
