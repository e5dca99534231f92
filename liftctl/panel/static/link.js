// The WebSocket: beats and STOP out, states in. Nothing is kept for later.

const RETRY_MS = [200, 400, 1000];
const STALE_MS = 600;
const FULL_BYTES = 256;
const SILENT_MS = 3000; // the panel says something every second, also while the gate is away
const BEHIND_MS = 10_000;
const DRIFT = 0.001; // two clocks, each slewed by up to 500 ppm

export class Link extends EventTarget {
  #socket = null;
  #tick = "0";
  #least = null; // this clock minus the gate's at the quickest state of this connection, ms
  #seen = -Infinity;
  #good = 0;
  #heard = 0;
  #tries = 0;
  station = "";
  build = "";

  constructor() {
    super();
    setInterval(() => this.#watch(), 500);
  }

  connect() {
    this.#heard = this.#good = performance.now();
    this.#least = null;
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws`);
    socket.onmessage = (event) => this.#take(JSON.parse(event.data));
    socket.onclose = () => this.#lost(socket);
    this.#socket = socket;
  }

  /** Open, and what the gate said last, it said a moment ago. */
  get fresh() {
    return this.#open && this.#least !== null && this.#offset() - this.#least < STALE_MS;
  }

  #offset() {
    return performance.now() - Number(this.#tick) / 1e6;
  }

  get #open() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  beat(press, motion, edge = false) {
    if (!this.#open || this.#tick === "0") return;
    if (!edge && this.#socket.bufferedAmount > FULL_BYTES) return;
    this.#send({ type: "beat", press, motion, echo: this.#tick });
  }

  stop() {
    this.#send({ type: "stop" });
  }

  reset() {
    this.#send({ type: "reset" });
  }

  step(action, args = {}) {
    this.#send({ type: "step", action, args });
  }

  #send(message) {
    if (this.#open) this.#socket.send(JSON.stringify(message));
  }

  #take(message) {
    this.#heard = performance.now();
    if (message.type === "hello") Object.assign(this, { station: message.station, build: message.build });
    if (message.type === "state") this.#hear(message.tick);
    this.dispatchEvent(new CustomEvent(message.type, { detail: message }));
  }

  #hear(tick) {
    const drifted = this.fresh ? DRIFT * (this.#heard - this.#seen) : 0;
    this.#tick = tick;
    this.#least = Math.min(this.#offset(), (this.#least ?? Infinity) + drifted);
    this.#seen = this.#heard;
    this.#tries = 0;
    if (this.fresh) this.#good = this.#heard;
  }

  /** A line that died without a word, and one that has fallen behind and does not catch up, are given up. */
  #watch() {
    const now = performance.now();
    const behind = now - this.#seen < STALE_MS && now - this.#good > BEHIND_MS;
    if (!this.#socket || (now - this.#heard < SILENT_MS && !behind)) return;
    this.#socket.onclose = this.#socket.onmessage = null; // it would wait for the peer's goodbye
    this.#socket.close();
    this.#lost(this.#socket);
  }

  #lost(socket) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    this.#tick = "0";
    this.#least = null;
    this.#seen = -Infinity;
    this.dispatchEvent(new CustomEvent("lost"));
    const wait = RETRY_MS[Math.min(this.#tries++, RETRY_MS.length - 1)];
    setTimeout(() => this.connect(), wait);
  }
}
