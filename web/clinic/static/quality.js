// Tells the region every five seconds how this page sees the call. While the region is away the last minutes
// are kept, and sent after. Without a call it asks and tells nothing.

import { QualityWatch } from "/shared/quality.js";

const EVERY_MS = 5000;
const KEPT = 120; // ten minutes
const AT_ONCE = 24;

export class QualityReports {
  #post;
  #waiting = [];
  #sending = false;
  #watch = { connection: null, of: null };
  #readAt = null;
  #timer;

  /** `call()` gives `wanted`, `line` and `connection`; `post(reports)` sends. */
  constructor(call, post) {
    this.#post = post;
    this.#timer = setInterval(() => this.#look(call()), EVERY_MS);
  }

  stop() {
    clearInterval(this.#timer);
  }

  async #look(call) {
    if (!call.wanted) {
      this.#readAt = null;
    } else {
      const reading = await this.#read(call.line === "connected" ? call.connection : null);
      if (reading) this.#waiting.push({ at: performance.now(), ...reading });
      if (this.#waiting.length > KEPT) this.#waiting.shift();
    }
    await this.#send();
  }

  async #read(connection) {
    const before = this.#readAt;
    this.#readAt = performance.now();
    if (connection?.state !== "connected") {
      this.#watch = { connection: null, of: null }; // what comes after is not to be told as of both times
      const seconds = Math.min(60, (this.#readAt - before) / 1000);
      return before === null ? null : { interval_s: Number(seconds.toFixed(2)), connected: false };
    }
    if (this.#watch.connection !== connection) this.#watch = { connection, of: new QualityWatch() };
    const reading = this.#watch.of.reading(await connection.stats(), this.#readAt);
    return reading && { connected: true, ...reading };
  }

  async #send() {
    if (this.#sending || !this.#waiting.length) return;
    this.#sending = true;
    const batch = this.#waiting.slice(0, AT_ONCE);
    const now = performance.now();
    const reports = batch.map(({ at, ...told }) => ({ age_s: Number(((now - at) / 1000).toFixed(2)), ...told }));
    const answer = await this.#post(reports).catch(() => null);
    // Kept for the next time when the region is away or busy; dropped when it does not want them.
    const later = !answer || answer.status === 429 || answer.status >= 500;
    if (!later) this.#waiting = this.#waiting.filter((one) => !batch.includes(one));
    this.#sending = false;
  }
}
