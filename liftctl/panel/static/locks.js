// Locks a person sets: the screen is being wiped, or the motor was moved to another rail.

import { h, icon } from "./dom.js";
import { t } from "./words.js";

// A cloth wanders; a finger that means it stays.
const MEANT_MS = 3000;

/** What to show instead of, or before, a new transfer. `act` sends a step to the controller. */
export function locked(locks, act) {
  if (locks.includes("cleaning")) {
    return { only: true, body: [h("h2", {}, t("row.cleaning")), held(t("ui.cleaning_end"), () => act("cleaning_off", {}))] };
  }
  const pull = locks.includes("relocated")
    ? [h("p", { class: "refused" }, icon("medium"), t("row.relocated")), h("p", { class: "hint" }, t("ui.pull_test")),
      h("button", { type: "button", class: "primary", "data-id": "pull_test_ok", onclick: () => act("pull_test_ok", {}) },
        t("action.pull_test_ok"))]
    : [];
  return { only: false, body: pull };
}

/** The quiet button that locks the lift for wiping. */
export function wipe(act) {
  return h("div", { class: "aside" }, h("button", {
    type: "button", class: "quiet", "data-id": "cleaning_on", onclick: () => act("cleaning_on", {}),
  }, t("action.cleaning_on")));
}

let timer = 0;
const lifted = () => clearTimeout(timer);
for (const name of ["pointerup", "pointercancel", "blur", "visibilitychange"]) {
  window.addEventListener(name, lifted); // wherever the finger is by then, and whatever was drawn under it
}

function held(label, done) {
  const down = ({ currentTarget: button, pointerId }) => {
    if (button.hasPointerCapture(pointerId)) button.releasePointerCapture(pointerId); // else a finger never leaves it
    lifted();
    timer = setTimeout(() => button.isConnected && done(), MEANT_MS);
  };
  return h("button", {
    type: "button", class: "primary", "data-id": "cleaning_off", onpointerdown: down, onpointerleave: lifted,
    onclick: (event) => { if (event.detail === 0) done(); }, // by keyboard
  }, label);
}
