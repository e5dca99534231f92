// What was refused last: shown until the next act, and no longer than it takes to read.

import { h, icon } from "./dom.js";
import { t } from "./words.js";

const READ_MS = 8000;

export class Refusal {
  #said = null;
  #at = 0;

  take(said) {
    this.#said = said;
    this.#at = performance.now();
  }

  clear() {
    this.#said = null;
  }

  /** {code, hint}, or null. */
  get said() {
    if (performance.now() - this.#at > READ_MS) this.#said = null;
    return this.#said;
  }

  draw() {
    const { code, hint } = this.#said;
    return h("p", { class: "refused", role: "alert" }, icon("medium"), t(`refused.${code}`, {}, hint || t("refused.other")));
  }
}
