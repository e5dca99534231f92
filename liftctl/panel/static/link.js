// The WebSocket: beats and STOP out, states in. Nothing is kept for later.

const RETRY_MS = [200, 400, 1000];
const STALE_MS = 600;
const FULL_BYTES = 256;

export class Link extends EventTarget {
  #socket = null;
  #tick = "0";
  #seen = -Infinity;
  #tries = 0;
  station = "";

  connect() {
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws`);
    socket.onmessage = (event) => this.#take(JSON.parse(event.data));
    socket.onclose = () => this.#lost(socket);
    this.#socket = socket;
  }

  /** Open, and the gate has spoken a moment ago. */
  get fresh() {
    return this.#open && performance.now() - this.#seen < STALE_MS;
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
    if (message.type === "hello") this.station = message.station;
    if (message.type === "state") {
      this.#tick = message.tick;
      this.#seen = performance.now();
      this.#tries = 0;
    }
    this.dispatchEvent(new CustomEvent(message.type, { detail: message }));
  }

  #lost(socket) {
    if (socket !== this.#socket) return;
    this.#tick = "0";
    this.#seen = -Infinity;
    this.dispatchEvent(new CustomEvent("lost"));
    const wait = RETRY_MS[Math.min(this.#tries++, RETRY_MS.length - 1)];
    setTimeout(() => this.connect(), wait);
  }
}
