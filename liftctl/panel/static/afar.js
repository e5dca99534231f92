// Questions from a technician far away, the banner while support is active, and the guided way down.
// Whatever is answered here reaches neither gate nor controller.

import { $, h, put } from "./dom.js";
import { Refusal } from "./refusal.js";
import { has, language, number, t } from "./words.js";

const MINUTES = [15, 30, 60, 120];
const OURS = /^(support|bundle|guide|setup)_/;

export const isAfar = (action) => OURS.test(action);
const minutes = (seconds) => Math.max(1, Math.ceil(seconds / 60));

export class Afar {
  #link;
  #shown = "";
  #name = "";
  #minutes = 30;
  #question = "";
  #refused = new Refusal();

  constructor(link) {
    this.#link = link;
    $("support_end").addEventListener("click", () => this.#act("support_end"));
    link.addEventListener("refused", ({ detail }) => {
      if (isAfar(detail.action)) this.#refused.take(detail);
    });
  }

  render(state) {
    const said = state?.support ?? null;
    this.#banner(said?.grant ?? null);
    if (said) this.#ask(JSON.stringify([said.request, said.bundle, said.proposal?.version, said.trial?.version]));
    const part = said && { ...said, tick_ns: 0, grant: 0, heard_s: 0, trial: said.trial && { ...said.trial, left_s: minutes(said.trial.left_s) } };
    const key = JSON.stringify([part, language, this.#refused.said, this.#minutes]);
    if (key === this.#shown) return;
    this.#shown = key;
    const body = said ? this.#body(said) : [];
    const focused = document.activeElement?.dataset?.id;
    $("afar").hidden = !body.length;
    $("afar").replaceChildren(...body.filter(Boolean));
    if (focused) $("afar").querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
  }

  #ask(question) {
    if (question !== this.#question) this.#forget();
    this.#question = question;
  }

  #banner(grant) {
    $("support").hidden = grant === null;
    if (grant === null) return;
    put($("support_text"), t("afar.banner", { who: grant.who, min: number(minutes(grant.left_s)) }));
    put($("support_end"), t("action.support_end"));
  }

  #body({ request, bundle, guide, proposal, trial, idle }) {
    const body = guide ? this.#guide(guide)
      : bundle ? this.#bundle(bundle)
        : trial ? this.#trial(trial)
          : proposal ? this.#proposal(proposal, idle)
            : request ? this.#request(request) : [];
    if (body.length && this.#refused.said) body.push(this.#refused.draw());
    return body;
  }

  #request({ id, who, reason, minutes: most, wants }) {
    const chosen = Math.min(this.#minutes, ...MINUTES.filter((n) => n >= most).slice(0, 1));
    return [
      h("h2", {}, t("afar.asks", { who })), h("p", { class: "hint" }, t("afar.for", { reason })),
      h("ul", {}, ...wants.map((want) => h("li", {}, t(`afar.wants.${want}`)))),
      h("p", { class: "hint" }, t("afar.never")), this.#nameField(),
      h("div", { class: "aside" }, ...MINUTES.filter((n, at) => at === 0 || MINUTES[at - 1] < most).map((n) => h("button", {
        type: "button", class: "quiet", "data-id": `minutes.${n}`, "aria-pressed": String(n === chosen),
        onclick: () => { this.#minutes = n; },
      }, t("afar.minutes", { n: number(Math.min(n, most)) })))),
      this.#buttons(["support_yes", { minutes: String(chosen), order: id }], ["support_no", { order: id }]),
    ];
  }

  #bundle({ contents, sha256 }) {
    return [
      h("h2", {}, t("afar.bundle")),
      h("ul", {}, ...contents.map(([name, bytes]) => h("li", {}, t("afar.bundle_item", { name, kb: number(bytes / 1000, 1) })))),
      h("p", { class: "hint" }, t("afar.bundle_hint")), this.#nameField(),
      this.#buttons(["bundle_yes", { sha256 }], ["bundle_no", { sha256 }]),
    ];
  }

  #guide({ script, step, of }) {
    const next = step < of || has(`lower.${script}.${step + 1}`);
    return [
      h("h2", {}, t(`lower.${script}.title`)), h("p", { class: "who" }, t("ui.step_of", { n: step, of })),
      h("p", { class: "script" }, t(`lower.${script}.${step}`)),
      this.#buttons(["guide_next", {}, next ? "action.guide_next" : "action.guide_done"], ["guide_back"], ["guide_end"]),
    ];
  }

  #proposal({ version, by, reason, healthy_min, changes, running }, idle) {
    if (running) return [h("h2", {}, t("afar.running")), h("p", { class: "hint" }, t("afar.wait"))];
    return [
      h("h2", {}, t("afar.proposal", { n: version })),
      h("p", { class: "hint" }, t("afar.by", { who: by.join(", ") }), " ", t("afar.for", { reason })),
      h("ul", {}, ...changes.map(([key, before, after]) => h("li", {}, `${key}: ${before} → `, h("b", {}, after)))),
      h("p", { class: "hint" }, idle ? t("afar.not_idle") : t("afar.wait"), " ", t("afar.healthy", { min: number(healthy_min) })),
      this.#nameField(),
      this.#buttons(["setup_yes", { version: String(version) }, "action.setup_yes", idle !== ""], ["setup_no"]),
    ];
  }

  #trial({ version, left_s, back }) {
    if (back) return [h("h2", {}, t("afar.back")), h("p", { class: "hint" }, t("afar.wait"))];
    return [
      h("h2", {}, t("afar.trial", { n: version, min: number(minutes(left_s)) })), h("p", { class: "hint" }, t("afar.trial_hint")),
      this.#nameField(), this.#buttons(["setup_good"], ["setup_bad"]),
    ];
  }

  #nameField() {
    const input = h("input", {
      id: "afar_name", "data-id": "afar_name", autocomplete: "off", spellcheck: "false", maxlength: "80",
      oninput: (event) => { this.#name = event.target.value; },
    });
    input.value = this.#name;
    return h("fieldset", {}, h("label", { for: "afar_name" }, t("afar.name")), input);
  }

  #buttons(first, ...others) {
    const button = ([action, args = {}, text = `action.${action}`, off = false], style) => h("button", {
      type: "button", class: style, "data-id": action, disabled: off, onclick: () => this.#act(action, args),
    }, t(text));
    return h("div", { class: "aside" }, button(first, "primary"), ...others.map((item) => button(item, "quiet")));
  }

  #act(action, args = {}) {
    this.#refused.clear();
    this.#link.step(action, { ...args, name: this.#name.trim() });
    this.#forget();
  }

  /** The next person signs with a name of their own. */
  #forget() {
    this.#name = "";
    this.#shown = "";
  }
}
