// What the room is doing: the state word, battery, load and height, and the alarm strip.

import { $, flag, h, icon, put } from "./dom.js";
import { number, t } from "./words.js";

const PCT_PER_LIFT = 1.2; // rule of thumb, one full transfer
const STROKE_MM = 300;
const WIDE_PX = 900;

export class Status {
  #site;
  #gauges = {};
  #strip = "";
  #link;
  #seen = new Set();

  constructor(site, link) {
    this.#site = site;
    this.#link = link;
    const [first, second] = site.kind === "lift" ? ["load", "height"] : ["stroke", "feet"];
    this.#gauge(first, true);
    this.#gauge(second, false);
  }

  #gauge(name, bar) {
    const label = h("span", { class: "label" });
    const value = h("b", {});
    const of = h("span", { class: "of" });
    const fill = bar ? h("i", {}) : null;
    const box = h("div", { class: `gauge ${name}` }, label, h("p", {}, value, of),
      bar ? h("div", { class: "track" }, fill) : null);
    this.#gauges[name] = { box, label, value, of, fill };
    $("gauges").append(box);
  }

  render(state, contact, never) {
    put($("title"), this.#site.title);
    const word = contact ? this.#word(state) : "nocontact";
    put($("word"), t(`state.${word}`));
    $("word").className = `word ${word}`;
    this.#battery(state);
    this.#show(state);
    this.#alarms(state, contact, never);
  }

  #word(state) {
    if (state.moving) return "moving";
    if (state.latched.length) return "latched";
    if (state.mode === "faulted") return "faulted";
    return state.aloft ? (this.#site.kind === "lift" ? "aloft" : "standing") : "ready";
  }

  #battery(state) {
    const pct = state?.values.battery_pct ?? null;
    const lifts = Math.max(0, Math.floor(((pct ?? 0) - this.#site.battery_reserve_pct) / PCT_PER_LIFT));
    const charging = state?.values.charger_absent === 0;
    const key = pct === null ? "unknown" : lifts === 0 ? "none" : this.#site.kind;
    const text = t(`ui.battery_${key}`, { n: number(lifts) });
    put($("battery"), charging ? `${text} · ${t("ui.charging")}` : text);
    flag($("battery"), "weak", pct === null || lifts < 5);
  }

  #show(state) {
    const values = state?.values ?? {};
    if (this.#site.kind === "lift") {
      this.#set("load", values.load_kg, (kg) => `${number(kg)} kg`, state?.limit_kg);
      this.#set("height", values.hoist_height_mm, (mm) => `${number(mm / 1000, 2)} m`);
    } else {
      this.#set("stroke", values.stand_stroke_mm, (mm) => t(strokeKey(mm)), STROKE_MM);
      this.#set("feet", values.feet_load_kg, (kg) => `${number(kg)} kg`);
    }
  }

  #set(name, value, text, limit = 0) {
    const { box, label, value: shown, of, fill } = this.#gauges[name];
    const known = value !== null && value !== undefined;
    put(label, t(`ui.${name}`));
    put(shown, known ? text(Math.max(0, value)) : t("ui.unknown"));
    if (!fill) return;
    const share = known && limit ? Math.max(0, value) / limit : 0;
    put(of, name === "load" && limit ? t("ui.of_limit", { kg: number(limit) }) : "");
    fill.style.width = share < 0.01 ? "0" : `${Math.min(100, share * 100)}%`;
    flag(box, "over", share > 1 && name === "load");
  }

  #alarms(state, contact, never) {
    const alarms = contact ? alarmsOf(state) : [["nocontact", "high"]];
    for (const row of this.#seen) if (!alarms.some(([name]) => name === row)) this.#seen.delete(row);
    const room = window.innerWidth < WIDE_PX ? 1 : 2;
    const shown = JSON.stringify([room, alarms, never, [...this.#seen], document.documentElement.lang]);
    if (shown === this.#strip) return;
    this.#strip = shown;
    const chips = alarms.slice(0, room).map(([row, priority, signal]) =>
      h("p", { class: `alarm ${priority}${this.#isSeen(row, signal) ? " seen" : ""}` }, icon(priority),
        h("span", {}, h("b", {}, t(`priority.${priority}`)), " ",
          row === "nocontact" ? t(never ? "ui.no_contact_never" : "ui.no_contact") : t(`row.${row}`)),
        contact && state.controller && !this.#isSeen(row, signal) ? this.#acknowledge(row) : null));
    const more = alarms.length - room;
    if (more > 0) chips.push(h("p", { class: "alarm more" }, t("ui.more", { n: more })));
    if (!chips.length) chips.push(h("p", { class: "alarm calm" }, icon("tick"), t("ui.calm")));
    $("strip").replaceChildren(...chips);
  }

  /** Seen here just now, or acknowledged at any panel. */
  #isSeen(row, signal) {
    return signal === "ack" || this.#seen.has(row);
  }

  #acknowledge(row) {
    return h("button", {
      type: "button",
      onclick: () => {
        this.#seen.add(row);
        this.#link.step("ack_alarm", { row });
      },
    }, t("action.ack_alarm"));
  }
}

function alarmsOf(state) {
  if (state.controller) return state.controller.alarms;
  return [...state.latched.map((row) => [row, "high"]), ["permission_lost", "medium"]];
}

const strokeKey = (mm) => (mm < 15 ? "ui.seated" : mm > 285 ? "ui.standing" : "ui.partly");
