// The arrows: lit when they may be held, dimmed with the reason when not. A dimmed arrow still sends its press:
// the kernel decides, not this page.

import { $, flag, h, icon, put } from "./dom.js";
import { has, t } from "./words.js";

const ORDER = ["UP", "STAND", "LEFT", "RIGHT", "DOWN", "SIT"];
const KEEP_MS = 6000;

export class Pad {
  #hold;
  #link;
  #arrows = new Map();
  #stopped = null; // {motion, why, at}

  constructor(site, link, hold) {
    this.#hold = hold;
    this.#link = link;
    for (const motion of ORDER.filter((name) => site.motions.includes(name))) this.#add(motion);
    hold.addEventListener("stopped", (event) => {
      this.#stopped = { ...event.detail, at: performance.now() };
    });
    hold.addEventListener("change", () => {
      if (hold.motion) this.#stopped = null;
      for (const [motion, arrow] of this.#arrows) flag(arrow.button, "held", hold.motion === motion);
    });
  }

  #add(motion) {
    const label = h("b", {});
    const why = h("span", { class: "why" });
    const slow = h("span", { class: "slow", hidden: true });
    const words = h("span", { class: "words" }, label, why);
    const button = h("button", { type: "button", class: `arrow ${motion.toLowerCase()}` },
      icon(motion), words, slow);
    this.#hold.arm(button, motion);
    this.#arrows.set(motion, { button, label, why, slow });
    $("pad").append(button);
  }

  render(state, contact, never) {
    if (this.#stopped && performance.now() - this.#stopped.at > KEEP_MS) this.#stopped = null;
    for (const [motion, arrow] of this.#arrows) this.#one(motion, arrow, state, never);
  }

  #one(motion, { button, label, why, slow }, state, never) {
    const reason = state || !never ? blocked(motion, state, this.#link.station) : t("lower.never.title");
    const held = this.#hold.motion === motion;
    const moving = held && state?.moving === motion;
    const stopped = this.#stopped?.motion === motion;
    flag(button, "blocked", reason !== "");
    flag(button, "moving", moving);
    flag(button, "stopped", stopped);
    button.setAttribute("aria-disabled", String(reason !== ""));
    put(label, t(`motion.${motion}`));
    put(why, moving ? t("ui.let_go") : stopped ? this.#why(reason) : reason || t("ui.hold"));
    put(slow, t("ui.slow"));
    slow.hidden = reason !== "" || !state?.motions[motion]?.docking;
  }

  #why(reason) {
    const key = `stop.${this.#stopped.why}`;
    return reason || (has(key) ? t(key) : t("ui.stopped"));
  }
}

/** Why an arrow cannot be held now, or "". */
export function blocked(motion, state, station) {
  if (!state) return t("ui.no_contact_arrow");
  const { allowed, rows } = state.motions[motion] ?? { allowed: false, rows: [] };
  if (state.owner && state.owner !== station) {
    return t(state.owner.startsWith("panel:") ? "ui.used_by_panel" : "ui.used_by_hand");
  }
  if (allowed) return "";
  return rows.length ? t(`row.${rows[0]}`) : t("ui.not_now");
}
