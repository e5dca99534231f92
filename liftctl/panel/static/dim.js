// A dark screen at night when nothing happens. The touch that wakes it does nothing else; STOP is never covered.

import { $ } from "./dom.js";

const CALM_MS = 180_000;

export class Dim {
  #hold;
  #last = performance.now();

  constructor(hold) {
    this.#hold = hold;
    for (const name of ["pointerdown", "keydown"]) {
      window.addEventListener(name, (event) => this.#touched(event), true);
    }
  }

  render(state, contact) {
    const calm = contact && !state.moving && !state.aloft && !state.latched.length
      && !state.controller?.alarms.some(([, priority]) => priority !== "past");
    if (!calm) this.#last = performance.now();
    $("dim").hidden = performance.now() - this.#last < CALM_MS;
  }

  #touched(event) {
    this.#last = performance.now();
    if ($("dim").hidden) return;
    $("dim").hidden = true;
    this.#hold.woke();
    if (event.target === $("stop") || event.key === "Escape") return;
    event.preventDefault();
    event.stopPropagation();
  }
}
