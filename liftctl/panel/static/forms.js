// The two short forms: start a transfer, and say how it ended. A badge says who; it opens nothing.

import { $, h } from "./dom.js";
import { t } from "./words.js";

const OUTCOMES = ["completed", "aborted", "fallback2", "fault", "emergency"];
const REASONS = ["resident_declined", "pain", "sling", "weight", "device", "staffing", "other"];
const TYPING_MS = 100; // keys this close together come from a badge reader
const BADGE_MS = 1000; // and this far apart they are two badges, also for a busy page
const LEFT_MS = 120_000;
const BLANK = { resident: "", carers: 0, badge: "" };

function tiles(name, label, options, chosen, pick) {
  const buttons = options.map(({ value, text, off = false, note = "" }) => h("button", {
    type: "button", class: "tile", role: "radio", "data-id": `${name}.${value}`, disabled: off,
    "aria-checked": String(value === chosen), onclick: () => pick(value),
  }, h("b", {}, text), note ? h("small", {}, note) : null));
  return h("fieldset", {}, label === "" ? null : h("legend", {}, label),
    h("div", { class: `tiles ${name}`, role: "radiogroup", "aria-label": label || t("step.outcome") }, ...buttons));
}

function send(text, ready, act) {
  return h("button", { type: "button", class: "primary", "data-id": "send", disabled: !ready, onclick: act }, text);
}

export class BeginForm {
  #site;
  #act;
  #redraw;
  #draft = {};
  #touched = 0;

  constructor(site, act, redraw) {
    this.#site = site;
    this.#act = act;
    this.#redraw = redraw;
    this.clear();
    listenForBadge((key, anew) => {
      this.#touched = performance.now();
      this.#draft.badge = (anew ? "" : this.#draft.badge) + key;
      $("badge").value = this.#draft.badge;
    });
  }

  clear() {
    this.#draft = { ...BLANK, kind: this.#site.kinds[0] };
    this.#touched = Infinity;
  }

  /** Who left the form half filled in has left it: true when it was cleared. */
  forget() {
    if (!(performance.now() - this.#touched > LEFT_MS)) return false;
    this.clear();
    return true;
  }

  draw(residents, notices = {}) {
    const draft = this.#draft;
    const set = (change) => {
      Object.assign(draft, change);
      this.#touched = performance.now();
      this.#redraw();
    };
    const chosen = residents.find(([token]) => token === draft.resident);
    if (!chosen) draft.resident = "";
    const least = chosen?.[2] ?? 1;
    const who = residents.map(([value, text, carers]) => ({
      value, text, note: [t(carers === 1 ? "ui.one_carer_ok" : "ui.two_carers"),
        ...(notices[value] ?? []).map((code) => t(`notice.${code}`))].join(". "),
    }));
    const carers = [1, 2].map((value) => ({ value, text: t(`ui.carers_${value}`), off: value < least }));
    return [
      residents.length ? null : h("p", { class: "hint" }, t("ui.no_residents")),
      tiles("resident", t("ui.resident"), who, draft.resident,
        (value) => set({ resident: value, carers: residents.find(([token]) => token === value)[2] })),
      this.#site.kinds.length > 1
        ? tiles("kind", t("ui.kind"), this.#site.kinds.map((value) => ({ value, text: t(`kind.${value}`) })),
          draft.kind, (value) => set({ kind: value }))
        : null,
      h("div", { class: "pair" },
        tiles("carers", t("ui.carers"), carers, draft.carers, (value) => set({ carers: value })),
        this.#badge()),
      send(t("action.begin"), draft.resident && draft.carers, () => this.#go()),
    ].filter(Boolean);
  }

  #badge() {
    const input = h("input", {
      id: "badge", "data-id": "badge", autocomplete: "off", spellcheck: "false", maxlength: "64",
      placeholder: t("ui.badge_hint"),
      oninput: (event) => {
        this.#draft.badge = event.target.value;
        this.#touched = performance.now();
      },
    });
    input.value = this.#draft.badge;
    return h("fieldset", {}, h("label", { for: "badge" }, t("ui.badge")), input);
  }

  #go() {
    const { resident, kind, carers, badge } = this.#draft;
    this.#act({ resident, kind, carers: String(carers), badge: badge.trim() });
    Object.assign(this.#draft, BLANK);
  }
}

/** Keys of a badge reader reach the field even when it has no focus; its Enter presses nothing. */
function listenForBadge(take) {
  let last = -Infinity;
  let ended = false;
  window.addEventListener("keydown", (event) => {
    const typing = event.timeStamp - last < TYPING_MS;
    if (event.key === "Enter") ended = true;
    if (event.key === "Enter" && typing) event.preventDefault();
    if (event.key === "Enter" && typing && document.activeElement?.id === "badge") document.activeElement.select();
    if (event.key.length !== 1 || event.key === " " || event.ctrlKey || event.metaKey) return;
    const anew = ended || event.timeStamp - last > BADGE_MS;
    last = event.timeStamp;
    ended = false;
    if (!$("badge") || document.activeElement?.tagName === "INPUT") return;
    event.preventDefault();
    take(event.key, anew);
  }, true);
}

export class FinishForm {
  #act;
  #redraw;
  #id = "";
  #draft = {};

  constructor(act, redraw) {
    this.#act = act;
    this.#redraw = redraw;
  }

  draw(transfer) {
    if (this.#id !== transfer.id) {
      this.#id = transfer.id;
      this.#draft = { outcome: "", carers: transfer.carers_now, reason: "", note: "", training: false };
    }
    const draft = this.#draft;
    const set = (change) => {
      Object.assign(draft, change);
      this.#redraw();
    };
    const smooth = draft.outcome === "completed";
    return [
      tiles("outcome", "", OUTCOMES.map((value) => ({ value, text: t(`outcome.${value}`) })),
        draft.outcome, (value) => set({ outcome: value })),
      draft.outcome && !smooth
        ? tiles("reason", t("ui.reason"), REASONS.map((value) => ({ value, text: t(`reason.${value}`) })),
          draft.reason, (value) => set({ reason: value }))
        : null,
      tiles("carers", t("ui.carers_present"), [1, 2, 3].map((value) => ({ value, text: t(`ui.carers_${value}`) })),
        draft.carers, (value) => set({ carers: value })),
      draft.outcome ? this.#aside(draft) : null,
      send(t("action.finish"), draft.outcome && (smooth || draft.reason), () => this.#act({
        outcome: draft.outcome, carers: String(draft.carers), reason: smooth ? "" : draft.reason,
        note: draft.note.trim(), training: draft.training ? "yes" : "",
      })),
    ].filter(Boolean);
  }

  #aside(draft) {
    const note = h("input", {
      id: "note", "data-id": "note", autocomplete: "off", maxlength: "200", "aria-label": t("ui.note"), placeholder: t("ui.note"),
      oninput: ({ target }) => {
        draft.note = target.value;
      },
    });
    note.value = draft.note;
    const training = h("input", {
      id: "training", "data-id": "training", type: "checkbox",
      onchange: ({ target }) => {
        draft.training = target.checked;
      },
    });
    training.checked = draft.training;
    return h("fieldset", { class: "extra" }, note, h("label", { for: "training" }, training, t("ui.training")));
  }
}
