// Hold-to-run: one finger (or one key) on one arrow, and nothing else. When in doubt the press ends.
// Beats come from the page's main thread on purpose: when the page is frozen, they stop.

const BEAT_MS = 50;
const MARGIN_PX = 24;
const TYPING_MS = 300; // a badge reader types faster than this and ends with Enter
const WAKE_MS = 400;

export class Hold extends EventTarget {
  #link;
  #count = 0;
  #active = null; // {motion, element, pointer, key, moved}
  #spoiled = null;
  #typed = -Infinity;
  #woken = -Infinity;
  #fingers = new Set();

  constructor(link) {
    super();
    this.#link = link;
    setInterval(() => this.#beat(), BEAT_MS);
    this.#endings();
  }

  get motion() {
    return this.#active?.motion ?? "";
  }

  /** No press, and no finger anywhere on the screen. */
  get neutral() {
    return !this.#active && !this.#fingers.size;
  }

  /** The touch that woke the screen moves nobody. */
  woke() {
    this.#woken = performance.now();
  }

  end() {
    if (!this.#active) return;
    this.#active = null;
    this.#link.beat(0, "", true);
    this.#changed();
  }

  /** The machine stopped under the finger: this press is over, whatever the finger does. */
  observe(state) {
    const active = this.#active;
    if (!active) return;
    if (state.moving === active.motion) active.moved = true;
    else if (active.moved || state.stops.length) {
      const detail = { motion: active.motion, why: state.stops[0] ?? "" };
      this.end();
      this.dispatchEvent(new CustomEvent("stopped", { detail }));
    }
  }

  arm(element, motion) {
    const mine = (event) => this.#active?.pointer === event.pointerId;
    element.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      if (!event.isTrusted || !event.isPrimary || event.button !== 0) return;
      if (event === this.#spoiled || performance.now() - this.#woken < WAKE_MS) return;
      element.setPointerCapture(event.pointerId);
      this.#begin({ motion, element, pointer: event.pointerId, key: null });
    });
    element.addEventListener("pointermove", (event) => {
      if (mine(event) && outside(element, event)) this.end();
    });
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
      element.addEventListener(name, (event) => mine(event) && this.end());
    }
    this.#keys(element, motion);
  }

  #keys(element, motion) {
    element.addEventListener("keydown", (event) => {
      if (event.key !== " " && event.key !== "Enter") return;
      event.preventDefault();
      if (!event.isTrusted || event.repeat || this.#active) return;
      if (event.timeStamp - this.#typed < TYPING_MS) return;
      this.#begin({ motion, element, pointer: null, key: event.key });
    });
    element.addEventListener("keyup", (event) => {
      if (this.#active?.key === event.key) this.end();
    });
    element.addEventListener("blur", () => this.#active?.element === element && this.end());
    element.addEventListener("click", (event) => event.preventDefault());
  }

  #begin(press) {
    if (this.#active || !this.#link.fresh || document.hidden) return;
    this.#active = { ...press, moved: false };
    this.#count += 1;
    this.#link.beat(this.#count, press.motion, true);
    this.#changed();
  }

  #beat() {
    if (this.#active) this.#link.beat(this.#count, this.#active.motion);
    else this.#link.beat(0, "");
  }

  #endings() {
    const end = () => this.end();
    for (const name of ["blur", "pagehide", "resize", "orientationchange"]) {
      window.addEventListener(name, end);
    }
    document.addEventListener("freeze", end);
    document.addEventListener("visibilitychange", () => {
      this.end();
      this.woke();
    });
    window.addEventListener("contextmenu", (event) => {
      event.preventDefault();
      this.end();
    });
    window.addEventListener("pointerdown", (event) => {
      this.#fingers.add(event.pointerId);
      this.#second(event);
    }, true);
    for (const name of ["pointerup", "pointercancel"]) {
      window.addEventListener(name, (event) => this.#fingers.delete(event.pointerId), true);
    }
    window.addEventListener("keydown", (event) => {
      if (event.key.length === 1 && event.key !== " ") this.#typed = event.timeStamp;
    }, true);
    this.#link.addEventListener("lost", end);
  }

  #second(event) {
    if (!this.#active || event.pointerId === this.#active.pointer) return;
    this.#spoiled = event;
    this.end();
  }

  #changed() {
    this.dispatchEvent(new CustomEvent("change"));
  }
}

function outside(element, event) {
  const box = element.getBoundingClientRect();
  return event.clientX < box.left - MARGIN_PX || event.clientX > box.right + MARGIN_PX
    || event.clientY < box.top - MARGIN_PX || event.clientY > box.bottom + MARGIN_PX;
}
