// How to bring a person down without the controller: shown by itself when lowering is blocked, or on request.

import { $, h, icon } from "./dom.js";
import { has, language, t } from "./words.js";

const OVERSPEED = ["hoist_overspeed", "stand_overspeed"];
// These end by themselves, or nobody hangs there: no reason for the emergency way down.
const PASSING = [
  "lower_limit", "lower_limit_disputed", "slack", "slack_disputed", "evidence_lost", "key_held", "not_permitted",
  "cleaning", "lag_stop", "press_long", "sit_obstructed",
];
// A reset may end these, and lowering by the arrow is kinder than by hand.
const TRY_RESET = ["hoist_fault", "stand_fault"];
const LOST_MS = 1500;
const KEY = "liftctl.never";

/** Over-speed: nobody lowers. Only a state may say so or end it; a silent gate or a reload of the page does not. */
export class Never {
  #on = sessionStorage.getItem(KEY) !== null;

  after(state) {
    const on = state ? OVERSPEED.some((row) => state.latched.includes(row)) : this.#on;
    if (on && !this.#on) sessionStorage.setItem(KEY, "");
    if (!on && this.#on) sessionStorage.removeItem(KEY);
    this.#on = on;
    return on;
  }
}

export class Lowering {
  #how;
  #asked = false;
  #shown = "";
  #lostAt = 0;

  constructor(site) {
    this.#how = site.lowering;
    $("help").addEventListener("click", () => {
      this.#asked = !this.#asked;
    });
  }

  render(state, contact, never) {
    const needed = this.#needed(state, contact);
    const fault = needed && state?.resettable.some((row) => TRY_RESET.includes(row));
    const mode = never ? "never" : needed ? "needed" : this.#asked ? "asked" : "";
    $("help").textContent = t(this.#asked ? "ui.hide_help" : `lower.${this.#how}.short`, {}, t("ui.help"));
    $("help").setAttribute("aria-expanded", String(mode !== ""));
    document.body.classList.toggle("urgent", never || needed);
    const key = `${mode} ${fault} ${language}`;
    if (key === this.#shown) return;
    this.#shown = key;
    const card = $("lowering");
    card.hidden = mode === "";
    card.className = `card lowering ${mode}`;
    card.replaceChildren(...(never ? callHelp() : this.#steps(needed, fault)));
  }

  #needed(state, contact) {
    if (!contact) {
      this.#lostAt ||= performance.now();
      return performance.now() - this.#lostAt > LOST_MS;
    }
    this.#lostAt = 0;
    const down = state.motions.DOWN ?? state.motions.SIT;
    return !down.allowed && down.rows.some((row) => !PASSING.includes(row));
  }

  #steps(needed, fault) {
    const list = h("ol", {});
    for (let n = 1; has(`lower.${this.#how}.${n}`); n += 1) {
      list.append(h("li", {}, t(`lower.${this.#how}.${n}`)));
    }
    return [
      h("h2", {}, t(needed ? `lower.${this.#how}.needed` : `lower.${this.#how}.title`)),
      ...(fault ? [h("p", { class: "hint" }, t("lower.reset_first"))] : []),
      h("div", { class: "way" },
        h("img", { src: `/static/${this.#how}.svg`, alt: t(`lower.${this.#how}.picture`) }), list),
    ];
  }
}

function callHelp() {
  const list = h("ol", {});
  for (let n = 1; has(`lower.never.${n}`); n += 1) list.append(h("li", {}, t(`lower.never.${n}`)));
  return [h("h2", {}, icon("high"), t("lower.never.title")), list];
}
