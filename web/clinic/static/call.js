// A call with one other end (the room, or another page) as it lives through offers, rebuilt connections and lost
// lines.

import { Connection } from "./connection.js";
import { SilenceWatch, received } from "./watch.js";

const LOOK_MS = 250;
const KINDS = ["audio", "video", "share"];
const ASK_EVERY_MS = 2500;
const OFFER_TAKES_MS = 5000; // a slow line's connection: two round trips to signal, six to check and to agree on keys
const SETTLE_MS = 2500; // a rebuilt connection may take this long before we say a word
const LOST_AFTER_MS = 120000; // we go on trying, but say whom to call

export class Call {
  #send;
  #devices;
  #picture;
  #on;
  #carrying = null; // the connection that media came on last
  #newest = null; // the one of the newest offer, which may be the same
  #early = new Map();
  #told = new Map();
  #limits = new Map();
  #ice = {};
  #silence = new SilenceWatch();
  #timer;
  #wanted = false;
  #closed = false;
  #looking = false;
  #line = "idle";
  #carriedAt = 0;
  #askAt = 0;
  #asking = false;
  #far = { microphone: true, camera: true };
  #offers;
  #receives;

  /**
   * `devices` has the tracks to send (`audio`, `video`, `share`). `on` has `line` (idle, connecting, connected,
   * reconnecting, lost), and may have `far` (the other end's state), `attempt`, `message` (any other from its channel),
   * `bytes`, `gone` (the other end has closed the newest connection), `shown` (a connection whose `shown` stream is
   * what the other end shows), `silent` (whether it never gave a sound) and `spoken` (the energy of what our own
   * microphone gave). `offers`: we make the offers; `receives`: false where media goes one way only.
   */
  constructor(send, devices, makePicture, on, { offers = false, receives = true, lookMs = LOOK_MS } = {}) {
    this.#send = send;
    this.#devices = devices;
    this.#picture = makePicture?.((connection) => this.#carries(connection));
    this.#on = on;
    this.#offers = offers;
    this.#receives = receives;
    this.#timer = setInterval(() => this.#look(), lookMs);
  }

  /** Of the newest offer; what is said of older ones is stale. */
  get attempt() {
    return this.#newest?.attempt ?? -1;
  }

  get wanted() {
    return this.#wanted;
  }

  get line() {
    return this.#line;
  }

  /** The one that media comes on; null before the first offer. */
  get connection() {
    return this.#carrying ?? this.#newest;
  }

  /** Whether there ought to be a call now: admitted or in call. */
  want(wanted) {
    if (this.#closed || wanted === this.#wanted) return;
    this.#wanted = wanted;
    this.#carriedAt = performance.now();
    this.#askAt = this.#carriedAt + OFFER_TAKES_MS;
    if (!wanted) this.#setLine("idle");
    else if (this.#line === "idle") this.#setLine("connecting");
    if (wanted && this.#offers && !this.#newest) this.#offer();
  }

  /** The servers our own offers go by (W3C RTCIceServer), as last told. */
  by(ice) {
    this.#ice = ice;
  }

  /** The other end's offer; a higher attempt is tried beside what was, a lower one is stale. */
  async offer({ attempt, sdp, ice_servers: iceServers, ice_transport_policy: iceTransportPolicy }) {
    if (this.#closed || attempt <= this.attempt) return;
    const connection = this.#begin(attempt, { iceServers, iceTransportPolicy });
    for (const candidate of this.#early.get(attempt) ?? []) connection.addCandidate(candidate);
    this.#early.clear();
    await this.#negotiate(connection, () => connection.answer(sdp, this.#devices));
  }

  /** The other page's answer to our offer. */
  async answer({ attempt, sdp }) {
    const connection = this.#newest;
    if (attempt === this.attempt) await this.#negotiate(connection, () => connection.answered(sdp));
  }

  /** The other page has lost our connection of this attempt, or has none: offer anew. */
  renew({ attempt }) {
    const old = attempt > 0 && attempt < (this.#carrying?.attempt ?? 0);
    if (this.#wanted && this.#offers && !old) this.#offer(attempt);
  }

  candidate(message) {
    if (message.attempt === this.attempt) this.#newest.addCandidate(message);
    else if (message.attempt > this.attempt) {
      const kept = this.#early.get(message.attempt) ?? [];
      this.#early.set(message.attempt, [...kept, message]);
    }
  }

  /** What we say gets through again. */
  signalling() {
    if (this.#wanted && this.#line !== "connected") this.#ask();
  }

  /** Say something on the channel of each connection there is or will be; of each type the newest counts. */
  tell(message) {
    this.#told.set(message.type, message);
    for (const connection of this.#connections()) connection.tell(message);
  }

  /** Say something on the channel once; false when there is none. */
  say(message) {
    return Boolean(this.connection?.say(message));
  }

  /** Our microphone and camera are on or off, or have changed, or what we show has. */
  async own(state = null) {
    if (state) this.tell({ type: "state", ...state });
    for (const connection of this.#connections()) {
      for (const kind of KINDS) await connection.replace(kind, this.#devices[kind] ?? null);
      await this.#limit(connection);
    }
  }

  /** Send pictures of a kind at most so large (limits.js); null: as the browser likes. */
  async limit(kind, most) {
    if (this.#limits.get(kind) === most) return;
    this.#limits.set(kind, most);
    for (const connection of this.#connections()) await connection.limit(kind, most);
  }

  close() {
    this.#wanted = false;
    this.#closed = true;
    clearInterval(this.#timer);
    for (const connection of this.#connections()) connection.close();
  }

  #connections() {
    return [...new Set([this.#carrying, this.#newest])].filter(Boolean);
  }

  // Numbered from the clock, so that a page that was loaded anew does not begin from nought.
  async #offer(above = 0) {
    const connection = this.#begin(Math.max(Date.now(), this.attempt + 1, above + 1), this.#ice);
    await this.#negotiate(connection, () => connection.offer(this.#devices));
  }

  #begin(attempt, ice) {
    const connection = new Connection(attempt, ice, this.#send, {
      track: (from) => from.attached || this.#attach(from),
      state: (from, state) => this.#stateChanged(from, state),
      message: (from, message) => from.attempt >= (this.#carrying?.attempt ?? 0) && this.#heard(message),
      bytes: (bytes) => this.#on.bytes?.(bytes),
    });
    if (this.#newest !== this.#carrying) this.#discard(this.#newest);
    this.#newest = connection;
    this.#askAt = performance.now() + OFFER_TAKES_MS;
    this.#on.attempt?.(attempt);
    if (this.#line === "idle") this.#setLine("connecting");
    for (const message of this.#told.values()) connection.tell(message);
    return connection;
  }

  async #negotiate(connection, step) {
    try {
      await step();
      await this.#limit(connection);
    } catch {
      // Could not be used, or did not get through.
      if (connection === this.#newest && !this.#offers) this.#ask();
    }
  }

  async #limit(connection) {
    for (const [kind, most] of this.#limits) await connection.limit(kind, most);
  }

  #attach(connection) {
    connection.attached = true;
    this.#picture?.attach(connection);
  }

  #discard(connection) {
    connection?.close();
    if (connection) this.#picture?.discard(connection);
  }

  #stateChanged(connection, state) {
    if (!this.#connections().includes(connection)) return;
    if (state === "gone" && connection === this.#newest) {
      this.#on.gone?.();
      if (this.#offers && this.#wanted) this.#offer();
    }
    if (state !== "connected") return;
    this.#picture?.connected(connection);
    this.#carries(connection);
  }

  // Media comes on it, or is about to: the unit sends on one connection only.
  #carries(connection) {
    this.#carriedAt = performance.now();
    if (connection.attempt > (this.#carrying?.attempt ?? -1)) {
      const old = this.#carrying;
      this.#carrying = connection;
      old?.close();
      this.#on.shown?.(connection);
    }
    if (this.#wanted) this.#setLine("connected");
  }

  #heard(message) {
    if (message?.type !== "state") return void this.#on.message?.(message);
    this.#far = { microphone: message.microphone !== false, camera: message.camera !== false };
    this.#on.far?.(this.#far);
  }

  async #look() {
    if (!this.#wanted || this.#looking) return;
    this.#looking = true;
    try {
      const connections = this.#connections();
      const verdicts = await Promise.all(connections.map((each) => this.#judge(each)));
      const flowing = connections.find((_, index) => verdicts[index] === "flowing");
      if (flowing) this.#carries(flowing);
      else if (this.#wanted) this.#quiet(verdicts.includes("stalled"));
    } finally {
      this.#looking = false;
    }
  }

  async #judge(connection) {
    if (connection.state !== "connected" && connection.state !== "disconnected") return "none";
    if (!this.#receives) return connection.state === "connected" ? "flowing" : "stalled";
    const { bytes, energy, spoken } = received(await connection.stats());
    const expected = { audio: this.#far.microphone, video: this.#far.camera };
    const now = performance.now();
    if (connection === this.#carrying) {
      this.#on.silent?.(this.#silence.judge(now, energy, expected.audio));
      this.#on.spoken?.(now, spoken);
    }
    return connection.watch.judge(now, bytes, expected);
  }

  #quiet(stalled) {
    const quietMs = performance.now() - this.#carriedAt;
    if (this.#line === "connected" && (stalled || quietMs > SETTLE_MS)) {
      this.#setLine("reconnecting");
      this.#ask();
    } else if (quietMs > LOST_AFTER_MS) this.#setLine("lost");
    if (this.#line !== "connected" && performance.now() > this.#askAt) this.#ask();
  }

  async #ask() {
    if (!this.#wanted || this.#asking) return;
    if (this.#offers) return void this.#offer();
    this.#asking = true;
    this.#askAt = performance.now() + ASK_EVERY_MS;
    await this.#send({ type: "resync", attempt: Math.max(0, this.attempt) });
    this.#asking = false;
  }

  #setLine(line) {
    if (line === this.#line) return;
    this.#line = line;
    this.#on.line(line);
  }
}
