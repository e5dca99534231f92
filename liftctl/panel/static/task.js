// The transfer: where it stands, what to do now, and the buttons the controller offers.

import { isAfar } from "./afar.js";
import { $, h, icon } from "./dom.js";
import { BeginForm, FinishForm } from "./forms.js";
import { locked, wipe } from "./locks.js";
import { Refusal } from "./refusal.js";
import { language, number, t } from "./words.js";

const FORMS = ["begin", "finish"];
const ASIDE = ["helper_called", "carer_joined", "carer_left", "pause", "cancel", "consent_no"];
// The form at the end asks these itself.
const COUNTED = ["finish", "helper_called", "carer_joined", "carer_left"];
const STEPLESS = ["idle", "done"];

export class Task {
  #site;
  #link;
  #begin;
  #finish;
  #finishing = false;
  #refused = new Refusal();
  #shown = "";
  #redraw = () => {};

  constructor(site, link) {
    this.#site = site;
    this.#link = link;
    const again = () => this.#redraw();
    this.#begin = new BeginForm(site, (args) => this.#act("begin", args), again);
    this.#finish = new FinishForm((args) => this.#act("finish", args), again);
    link.addEventListener("refused", ({ detail }) => {
      if (!isAfar(detail.action)) this.#refused.take(detail);
    });
  }

  render(state) {
    const said = state?.controller ?? null;
    const { phases, peak_load_kg, ...transfer } = said?.transfer ?? {};
    if (this.#begin.forget()) this.#shown = "";
    const key = JSON.stringify([language, state !== null, said?.closed, said?.residents, said?.notices, said?.records, transfer, this.#refused.said, this.#finishing,
      missing(state, transfer), state?.locks]);
    if (key === this.#shown) return;
    this.#shown = key;
    this.#redraw = () => this.#draw(state, said);
    this.#redraw();
  }

  #draw(state, said) {
    const focused = document.activeElement?.dataset?.id;
    const running = said?.transfer && !STEPLESS.includes(said.transfer.step);
    if (!running) this.#finishing = false;
    else this.#begin.clear();
    const body = !state ? lost() : !said ? away() : running ? this.#running(state, said) : this.#idle(said, state.locks);
    if (this.#refused.said) body.push(this.#refused.draw());
    $("task").replaceChildren(...body);
    if (focused) $("task").querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
  }

  #idle({ closed, residents, notices, records }, locks) {
    const act = (action, args) => this.#act(action, args);
    const lock = locked(locks, act);
    if (lock.only) return lock.body;
    const note = closed
      ? [h("p", { class: "finished" }, icon("tick"), t("ui.finished", { outcome: t(`outcome.${closed}`) }))]
      : [];
    if (records) note.push(h("p", { class: "hint" }, icon("medium"), t("notice.records")));
    return [...note, ...lock.body, h("h2", {}, t("ui.new_transfer")), ...this.#begin.draw(residents, notices), wipe(act)];
  }

  #running(state, { transfer, residents }) {
    const label = residents.find(([token]) => token === transfer.resident)?.[1] ?? transfer.resident;
    const head = h("p", { class: "who" }, h("b", {}, label), ` · ${t(`kind.${transfer.kind}`)} · `,
      t("ui.carers_now", { now: transfer.carers_now, planned: transfer.carers_planned }));
    const steps = transfer.steps.filter((name) => !STEPLESS.includes(name));
    const at = steps.indexOf(transfer.step);
    if (this.#finishing || transfer.step === "outcome") {
      const others = transfer.actions.filter((name) => transfer.step === "outcome" && !COUNTED.includes(name));
      return [head, h("h2", {}, t("step.outcome")), ...this.#finish.draw(transfer), this.#back(transfer),
        ...this.#actions(others, "quiet", transfer.step)].filter(Boolean);
    }
    const body = [head, stepper(steps, at), h("h2", {}, t(`step.${transfer.step}`))];
    const list = missing(state, transfer).map((row) => h("li", {}, icon("medium"), t(`row.${row}`)));
    return [...body, h("p", { class: "hint" }, this.#hint(transfer)),
      list.length ? h("ul", { class: "missing" }, ...list) : null,
      ...this.#actions(transfer.actions, "primary", transfer.step)].filter(Boolean);
  }

  #hint({ step, limit_kg }) {
    const general = t(`step.${step}.hint`, { kg: number(limit_kg) }, "");
    return t(`step.${step}.hint.${this.#site.kind}`, {}, general);
  }

  #back(transfer) {
    return transfer.step === "outcome" ? null
      : h("button", { type: "button", class: "quiet", "data-id": "back", onclick: () => this.#toggle(false) }, t("ui.back"));
  }

  #actions(names, main, step) {
    const button = (name, style) => h("button", {
      type: "button", class: style, "data-id": name,
      onclick: () => (FORMS.includes(name) ? this.#toggle(true) : this.#act(name, {})),
    }, t(`action.${name}.${step}`, {}, t(`action.${name}`)));
    const aside = names.filter((name) => ASIDE.includes(name) || name === "finish");
    const first = names.filter((name) => !aside.includes(name) && name !== "begin");
    return [
      h("div", { class: "actions" }, ...first.map((name) => button(name, main))),
      h("div", { class: "aside" }, ...aside.map((name) => button(name, "quiet"))),
    ];
  }

  #toggle(on) {
    this.#finishing = on;
  }

  #act(action, args) {
    this.#refused.clear();
    this.#link.step(action, args);
  }
}

/** While checking: what still keeps the first motion from being allowed. */
function missing(state, transfer) {
  if (transfer?.step !== "checking") return [];
  const first = state.motions.UP ?? state.motions.STAND;
  return first.rows.filter((row) => row !== "not_permitted");
}

function stepper(steps, at) {
  const items = steps.map((name, n) => h("li", {
    class: n < at ? "past" : n === at ? "now" : "", "aria-current": n === at ? "step" : null, title: t(`step.${name}`),
  }));
  const next = steps[at + 1] && steps[at + 1] !== "done" ? t("ui.next", { step: t(`step.${steps[at + 1]}`) }) : "";
  return h("div", { class: "stepper" }, h("ol", { "aria-label": t("ui.steps") }, ...items),
    h("p", {}, h("span", {}, t("ui.step_of", { n: at + 1, of: steps.length })), h("span", {}, next)));
}

const lost = () => [h("h2", {}, t("state.nocontact"))];
const away = () => [h("h2", {}, t("ui.controller_away")), h("p", { class: "hint" }, t("ui.controller_away_hint"))];
