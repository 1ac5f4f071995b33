// The call as it lives through offers, rebuilt connections and lost lines.

import { Connection } from "./connection.js";
import { MediaWatch, bytesReceived } from "./watch.js";

const WATCH_MS = 500;
const RESYNC_EVERY_MS = 5000;
const LOST_AFTER_MS = 30000; // we go on trying, but say whom to call
const KEEP_OLD_MS = 15000;
const SETTLE_MS = 3000; // a rebuilt connection may take this long before we say a word

export class Call {
  #send;
  #devices;
  #picture;
  #on;
  #current = null;
  #old = [];
  #early = new Map();
  #watch = new MediaWatch();
  #own = { microphone: true, camera: true };
  #wanted = false;
  #line = "idle";
  #brokenSince = 0;
  #resyncAt = 0;
  #offeredAt = 0;
  #room = { microphone: true, camera: true };

  /** `on` has `line` (idle, connecting, connected, reconnecting, lost), `room` (its state) and `attempt`. */
  constructor(send, devices, makePicture, on) {
    this.#send = send;
    this.#devices = devices;
    this.#picture = makePicture((connection) => this.#tookOver(connection));
    this.#on = on;
    setInterval(() => this.#look(), WATCH_MS);
  }

  get wanted() {
    return this.#wanted;
  }

  get connection() {
    return this.#current;
  }

  /** Whether there ought to be a call now: admitted or in call. */
  want(wanted) {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    this.#brokenSince = this.#resyncAt = performance.now();
    if (!wanted) this.#setLine("idle");
    else if (this.#line === "idle") this.#setLine("connecting");
  }

  /** The unit's offer; a higher attempt replaces what was, a lower one is stale. */
  async offer({ attempt, sdp, ice_servers: iceServers }) {
    if (this.#current && attempt <= this.#current.attempt) return;
    const connection = new Connection(attempt, iceServers, this.#send, {
      track: (from) => from === this.#current && !from.attached && this.#attach(from),
      state: (from, state) => from === this.#current && this.#stateChanged(state),
      message: (from, message) => from === this.#current && this.#heard(message),
    });
    if (this.#current) this.#retireLater(this.#current);
    this.#current = connection;
    this.#watch = new MediaWatch();
    this.#resyncAt = this.#offeredAt = performance.now();
    this.#on.attempt(attempt);
    if (this.#line === "idle") this.#setLine("connecting");
    connection.tell(this.#own);
    for (const candidate of this.#early.get(attempt) ?? []) connection.addCandidate(candidate);
    this.#early.clear();
    try {
      await connection.answer(sdp, this.#devices);
    } catch {
      this.#resync(); // an offer we could not use: the watch would find out later
    }
  }

  candidate(message) {
    const current = this.#current?.attempt ?? -1;
    if (message.attempt === current) this.#current.addCandidate(message);
    else if (message.attempt > current) {
      const kept = this.#early.get(message.attempt) ?? [];
      this.#early.set(message.attempt, [...kept, message]);
    }
  }

  /** Our microphone and camera are on or off, or have changed. */
  async own(state) {
    this.#own = state;
    this.#current?.tell(state);
    await this.#current?.replace("audio", this.#devices.audio);
    await this.#current?.replace("video", this.#devices.video);
  }

  close() {
    this.#wanted = false;
    for (const connection of [...this.#old, this.#current]) connection?.close();
  }

  #attach(connection) {
    connection.attached = true;
    this.#picture.attach(connection);
  }

  #tookOver(connection) {
    for (const old of this.#old.splice(0)) if (old !== connection) old.close();
  }

  #retireLater(connection) {
    this.#old.push(connection);
    setTimeout(() => connection.close(), KEEP_OLD_MS);
  }

  #stateChanged(state) {
    if (state === "connected") {
      this.#picture.connected(this.#current);
      this.#setLine("connected");
    } else if (state === "failed" || state === "closed") {
      this.#broken();
    }
  }

  #heard(message) {
    if (message?.type !== "state") return;
    this.#room = { microphone: message.microphone !== false, camera: message.camera !== false };
    this.#on.room(this.#room);
  }

  async #look() {
    if (!this.#wanted) return;
    const connection = this.#current;
    if (!connection || connection.state !== "connected") return this.#waitingForLine();
    const received = bytesReceived(await connection.stats());
    if (connection !== this.#current) return;
    const expected = { audio: this.#room.microphone, video: this.#room.camera };
    const verdict = this.#watch.judge(performance.now(), received, expected);
    if (verdict === "stalled") this.#broken();
    else if (verdict === "flowing") this.#setLine("connected");
  }

  #waitingForLine() {
    if (this.#line !== "connected") this.#broken();
    else if (performance.now() - this.#offeredAt > SETTLE_MS) this.#broken();
  }

  #broken() {
    if (this.#line === "connected") {
      this.#brokenSince = performance.now();
      this.#setLine("reconnecting");
    } else if (performance.now() - this.#brokenSince > LOST_AFTER_MS) this.#setLine("lost");
    this.#resync();
  }

  #resync() {
    if (!this.#wanted || performance.now() - this.#resyncAt < RESYNC_EVERY_MS) return;
    this.#resyncAt = performance.now();
    this.#send({ type: "resync" });
  }

  #setLine(line) {
    if (line === this.#line) return;
    this.#line = line;
    this.#on.line(line);
  }
}
