// The call as it lives through offers, rebuilt connections and lost lines.

import { Connection } from "./connection.js";
import { bytesReceived } from "./watch.js";

const LOOK_MS = 250;
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
  #own = { microphone: true, camera: true };
  #wanted = false;
  #looking = false;
  #line = "idle";
  #carriedAt = 0;
  #askAt = 0;
  #asking = false;
  #room = { microphone: true, camera: true };

  /** `on` has `line` (idle, connecting, connected, reconnecting, lost), `room` (its state) and `attempt`. */
  constructor(send, devices, makePicture, on) {
    this.#send = send;
    this.#devices = devices;
    this.#picture = makePicture((connection) => this.#carries(connection));
    this.#on = on;
    setInterval(() => this.#look(), LOOK_MS);
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
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    this.#carriedAt = performance.now();
    this.#askAt = this.#carriedAt + OFFER_TAKES_MS;
    if (!wanted) this.#setLine("idle");
    else if (this.#line === "idle") this.#setLine("connecting");
  }

  /** The unit's offer; a higher attempt is tried beside what was, a lower one is stale. */
  async offer({ attempt, sdp, ice_servers: iceServers, ice_transport_policy: iceTransportPolicy }) {
    if (attempt <= this.attempt) return;
    const connection = new Connection(attempt, { iceServers, iceTransportPolicy }, this.#send, {
      track: (from) => from.attached || this.#attach(from),
      state: (from, state) => this.#stateChanged(from, state),
      message: (from, message) => from.attempt >= (this.#carrying?.attempt ?? 0) && this.#heard(message),
    });
    if (this.#newest !== this.#carrying) this.#discard(this.#newest);
    this.#newest = connection;
    this.#askAt = performance.now() + OFFER_TAKES_MS;
    this.#on.attempt(attempt);
    if (this.#line === "idle") this.#setLine("connecting");
    connection.tell(this.#own);
    for (const candidate of this.#early.get(attempt) ?? []) connection.addCandidate(candidate);
    this.#early.clear();
    try {
      await connection.answer(sdp, this.#devices);
    } catch {
      if (connection === this.#newest) this.#ask(); // could not be used, or the answer did not get through
    }
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

  /** Our microphone and camera are on or off, or have changed. */
  async own(state) {
    this.#own = state;
    for (const connection of this.#connections()) {
      connection.tell(state);
      await connection.replace("audio", this.#devices.audio);
      await connection.replace("video", this.#devices.video);
    }
  }

  close() {
    this.#wanted = false;
    for (const connection of this.#connections()) connection.close();
  }

  #connections() {
    return [...new Set([this.#carrying, this.#newest])].filter(Boolean);
  }

  #attach(connection) {
    connection.attached = true;
    this.#picture.attach(connection);
  }

  #discard(connection) {
    connection?.close();
    if (connection) this.#picture.discard(connection);
  }

  #stateChanged(connection, state) {
    if (state !== "connected" || !this.#connections().includes(connection)) return;
    this.#picture.connected(connection);
    this.#carries(connection);
  }

  // Media comes on it, or is about to: the unit sends on one connection only.
  #carries(connection) {
    this.#carriedAt = performance.now();
    if (connection.attempt > (this.#carrying?.attempt ?? -1)) {
      const old = this.#carrying;
      this.#carrying = connection;
      old?.close();
    }
    if (this.#wanted) this.#setLine("connected");
  }

  #heard(message) {
    if (message?.type !== "state") return;
    this.#room = { microphone: message.microphone !== false, camera: message.camera !== false };
    this.#on.room(this.#room);
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
    const received = bytesReceived(await connection.stats());
    const expected = { audio: this.#room.microphone, video: this.#room.camera };
    return connection.watch.judge(performance.now(), received, expected);
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
    this.#asking = true;
    this.#askAt = performance.now() + ASK_EVERY_MS;
    await this.#send({ type: "resync" });
    this.#asking = false;
  }

  #setLine(line) {
    if (line === this.#line) return;
    this.#line = line;
    this.#on.line(line);
  }
}
