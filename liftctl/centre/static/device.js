// One device: why it stands where it stands, its twin, its trends, its events, its duties.
import { h } from "/shared/dom.js";
import { has, number, t } from "/shared/words.js";
import { ago, date, gauge, kindOf, plain, when } from "./say.js";
import { shares } from "./fleet.js";
import { frame, trend } from "./plots.js";
import { get, path, post } from "./net.js";

const TWIN = ["config_version", "trial", "mode", "latched", "active", "battery_pct", "config_hash", "config_fallback", "version", "kind"];
const UNITS = { motor_current_pct_at_swl: " %", brake_drift_mm: " mm", battery_pct: " %", comms_errors: "" };

export async function device(me, municipality, controller, again) {
  const where = `/api/devices/${path(municipality, controller)}`;
  const [found, events, mail] = await Promise.all([get(where), get(`${where}/events?limit=50`), get(`${where}/mail`)]);
  return [
    h("a", { class: "crumb", href: "#/" }, `‹ ${t("centre.fleet")}`),
    head(found),
    found.quarantined_at ? conflict(me, found, where, again) : null,
    h("div", { class: "grid" }, risk(found), duties(found, events), trends(found), timeline(events), twin(found), chains(found), help(me, found, mail, where, again)),
  ];
}

function head(found) {
  return h("div", { class: "head" }, h("div", {}, h("h1", {}, found.title), h("p", { class: "soft" }, `${found.home_title} · ${found.controller}`)),
    h("p", { class: "soft" }, t("centre.durable", { ago: ago(found.durable_age_s) })));
}

function card(title, note, ...children) {
  return h("section", { class: "card" }, h("header", {}, h("h2", {}, title), note ? h("span", { class: "soft small" }, note) : null), ...children);
}

function risk(found) {
  const total = t("centre.risk_of", { risk: gauge(found.usual * found.share), usual: gauge(found.usual) });
  const list = found.reasons.map((code) => h("li", {}, h("span", {}, t(`risk.${code}`), has(`risk.${code}?`) ? h("span", { class: "soft small" }, ` ${t(`risk.${code}?`)}`) : null),
    h("b", {}, `${number((shares.get(code) ?? 0) * 100)} %`)));
  const box = card(t("centre.risk_title"), null, h("p", {}, total), list.length ? h("ul", { class: "why" }, ...list) : h("p", { class: "empty" }, t("centre.no_reason")));
  return box;
}

function duties(found, events) {
  const today = new Date().toISOString().slice(0, 10);
  const fact = (label, value, over) => h("div", { class: over ? "over" : "" }, h("dt", {}, label), h("dd", {}, value));
  const cycles = found.service_cycles === null ? number(found.cycles) : t("centre.cycles_of", { n: number(found.cycles), due: number(found.service_cycles) });
  const done = events.filter((event) => event.kind === "service");
  return card(t("centre.duties"), null, h("dl", { class: "facts" },
    fact(t("centre.inspection_by"), date(found.inspection_by), found.inspection_by && found.inspection_by < today),
    fact(t("centre.service_by"), date(found.service_by), found.service_by && found.service_by < today),
    fact(t("centre.cycles"), cycles, found.service_cycles !== null && found.cycles > found.service_cycles),
    fact(t("centre.trips_7d"), number(found.trips_7d))),
    h("h3", {}, t("centre.inspections")),
    done.length ? h("ul", {}, ...done.map((event) => h("li", {}, `${when(event.at)} · ${t(`done.${event.detail.done}`, {}, event.detail.done)} · ${t(`done.${event.detail.result}`, {}, event.detail.result ?? "")}`)))
      : h("p", { class: "empty" }, t("centre.no_inspections")));
}

function trends(found) {
  const names = Object.keys(found.series).sort((a, b) => order(a) - order(b));
  const box = card(t("centre.trends"), t("centre.trends_note"), names.length
    ? h("div", { class: "trends" }, ...names.map((name) => small(name, found)))
    : h("p", { class: "empty" }, t("centre.no_trends")));
  box.classList.add("wide");
  return box;
}

const order = (name) => (Object.keys(UNITS).indexOf(name) + 99) % 99;

function small(name, found) {
  const series = found.series[name];
  const told = found.commissioned[name];
  const base = Number.isFinite(told) && name !== "battery_pct" && name !== "comms_errors" ? told : null;
  const now = series.at(-1)[1];
  const against = base ? ` (${now >= base ? "+" : "−"}${number(Math.abs(now / base - 1) * 100)} %)` : "";
  const label = t(`trend.${name}`, {}, name);
  return h("div", { class: "trend" }, h("header", {}, h("h3", {}, label), h("b", {}, `${number(now, now < 20 ? 1 : 0)}${UNITS[name] ?? ""}${against}`)), trend(series, base, label));
}

function timeline(events) {
  const box = card(t("centre.events"), t("centre.events_note"), events.length
    ? h("div", { class: "events" }, ...events.map(event)) : h("p", { class: "empty" }, t("centre.no_events")));
  box.classList.add("wide");
  return box;
}

function event({ at, kind, name, detail }) {
  const plot = detail.window ? frame(detail.window) : null;
  const label = name ? `${t(`event.${kind}`, {}, kind)}: ${rowName(name)}` : t(`event.${kind}`, {}, kind);
  const inside = plot ? h("div", { class: "frame" },
    h("p", { class: "soft small" }, t("centre.frame_note", { moving: t(`motion.${detail.moving}`, {}, detail.moving || "–") })), h("div", { class: "scroll" }, plot)) : null;
  const box = h("details", { class: inside ? "" : "none" }, h("summary", {}, h("time", {}, when(at)), h("span", {}, label)), inside);
  if (!inside) box.addEventListener("toggle", () => { box.open = false; });
  return box;
}

// a row's text speaks to the carer in the room; its first sentence says what was so
const rowName = (name) => t(`row.${name}`, {}, name.replaceAll("_", " ")).split(". ")[0].replace(/\.$/, "");

function twin(found) {
  const applied = found.afar.reported?.config_version === found.desired.version; // then its changes are the reported ones
  const desired = { ...(applied ? {} : found.desired.changes), ...(found.desired.version ? { config_version: found.desired.version } : {}) };
  const told = { ...found.reported, ...(found.afar.reported ?? {}) };
  found = { ...found, reported: told };
  const names = [...new Set([...TWIN.filter((name) => name in found.reported), ...Object.keys(desired)])];
  const rows = names.map((name) => h("tr", { class: name in desired && plain(desired[name]) !== plain(found.reported[name]) ? "differs" : "" },
    h("th", { scope: "row" }, t(`twin.${name}`, {}, name)), h("td", {}, t(`twin.${name}.${found.reported[name]}`, {}, plain(found.reported[name]))), h("td", {}, name in desired ? plain(desired[name]) : "–")));
  return card(t("centre.twin"), t("centre.reported_at", { when: when(found.reported_at) }), rows.length
    ? h("table", {}, h("thead", {}, h("tr", {}, h("th", {}), h("th", {}, t("centre.reported")), h("th", {}, t("centre.desired")))), h("tbody", {}, ...rows))
    : h("p", { class: "empty" }, t("centre.no_report")), Object.keys(desired).length ? null : h("p", { class: "soft small" }, t("centre.no_desired")));
}

function chains(found) {
  const rows = found.chains.map((chain) => h("tr", { class: "chain" }, h("th", { scope: "row" }, t(`stream.${chain.stream}`, {}, chain.stream)),
    h("td", {}, t("centre.durable_seq", { seq: number(chain.seq) }), h("br"), h("span", { class: "soft small" }, when(chain.at))),
    h("td", { class: "mono" }, `${chain.hash.slice(0, 16)}…`)));
  const extra = [found.set_aside ? t("centre.set_aside", { n: number(found.set_aside) }) : "", found.clock_off_s ? t("centre.clock_off", { ago: number(found.clock_off_s / 3600, 1) }) : ""].filter(Boolean);
  return card(t("centre.chains"), t("centre.chains_note"), h("div", { class: "scroll" }, h("table", {}, h("tbody", {}, ...rows))), ...extra.map((text) => h("p", { class: "soft small" }, text)));
}

function help(me, found, mail, where, again) {
  if (!found.has_mail) return card(t("centre.help"), null, h("p", { class: "empty" }, t("centre.no_mail")));
  const rows = mail.letters.map((item) => h("tr", {}, h("td", {}, when(item.at), h("br"), h("span", { class: "soft small" }, item.who)), h("td", {}, t(`order.${item.kind}`, {}, item.kind)),
    h("td", {}, item.answered_at ? item.told || item.code : t("centre.waiting"))));
  const files = mail.bundles.map((item) => h("li", {}, h("a", { href: `${where}/bundles/${item.sha256}.zip` }, `${when(item.at)} · ${item.sha256.slice(0, 12)}`)));
  const guide = found.afar.guide_progress;
  const box = card(t("centre.help"), t("centre.help_note"), rows.length ? h("div", { class: "scroll" }, h("table", {}, h("tbody", {}, ...rows))) : h("p", { class: "empty" }, t("centre.no_orders")),
    found.afar.reported?.granted ? h("p", { class: "chip good" }, t("centre.granted")) : null,
    guide && !guide.ended ? h("p", {}, t("centre.guide", { step: number(guide.step), of: number(guide.of) })) : null,
    found.afar.live ? h("details", {}, h("summary", {}, t("centre.live")), h("pre", { class: "mono scroll" }, JSON.stringify(found.afar.live.picture, null, 1))) : null,
    files.length ? h("ul", {}, ...files) : null, me.may_change ? sending(where, again) : null);
  box.classList.add("wide");
  return box;
}

function sending(where, again) {
  const input = h("input", { type: "file", required: true, "aria-label": t("centre.order_file") });
  const said = h("p", { class: "error" });
  const send = async (event) => {
    event.preventDefault();
    const bytes = new Uint8Array(await input.files[0].arrayBuffer());
    try {
      await post(`${where}/mail`, { envelope: btoa(String.fromCharCode(...bytes.slice(0, 65536))) });
      again();
    } catch (trouble) {
      said.textContent = trouble.message;
    }
  };
  return h("form", { class: "tools", onsubmit: send }, input, h("button", { class: "button main" }, t("centre.put_order")), said);
}

function conflict(me, found, where, again) {
  const input = h("input", { required: true, minlength: 3, maxlength: 500, placeholder: t("centre.what_found"), "aria-label": t("centre.what_found") });
  const send = async (event) => {
    event.preventDefault();
    await post(`${where}/quarantine/clear`, { why: input.value });
    again();
  };
  return h("section", { class: "card alarm" }, h("h2", {}, t("centre.conflict")), h("p", {}, found.quarantine_why), h("p", { class: "soft" }, t("centre.conflict_note")),
    me.may_change ? h("form", { onsubmit: send }, input, h("button", { class: "button main" }, t("centre.clear"))) : null);
}
