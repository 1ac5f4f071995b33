// The connections to the other pages: one for each party that is here. Of two pages the one with the smaller peer id
// offers. Which parties there are is the region's word; what passes between the pages does not touch it.

import { Call } from "./call.js";
import { shareToPages, toPages } from "./limits.js";

const LOOK_MS = 1000;
const KEPT = 50;
const GATHER_MS = 20000; // a region that has started anew knows only those who have come back to it

export class Mesh {
  #send;
  #devices;
  #makeTile;
  #on;
  #calls = new Map();
  #told = new Map();
  #own = { microphone: true, camera: true };
  #you = null;
  #ice = {};
  #early = new Map();
  #timer = 0;
  #closed = false;

  /**
   * `send` posts a signal. `makeTile(peer)` gives what draws a party: `makePicture`, `line`, `far`, `shown`, `silent`
   * and `remove`. `on.message(peer, message)` gets what a party says.
   */
  constructor(send, devices, makeTile, on) {
    this.#send = send;
    this.#devices = devices;
    this.#makeTile = makeTile;
    this.#on = on;
  }

  /** What draws a party; undefined when there is no connection to it. */
  tile(peer) {
    return this.#calls.get(peer)?.tile;
  }

  /** The servers that connections go by, as last told by the region. */
  by({ ice_servers: iceServers, ice_transport_policy: iceTransportPolicy }) {
    if (!iceServers) return;
    this.#ice = { iceServers, iceTransportPolicy };
    for (const { call } of this.#calls.values()) call.by(this.#ice);
  }

  /**
   * All parties as the region has them: connect to those who are here, let go of those who are not. Whose line to the
   * region broke, or ours did, is not let go of while the connection between us carries.
   */
  update(you, parties) {
    if (this.#closed) return;
    this.#you = you;
    const mine = parties.find(({ peer }) => peer === you);
    const others = parties.filter(({ peer, here }) => here && peer !== you);
    clearTimeout(this.#timer);
    for (const [peer, other] of this.#calls) {
      other.here = others.some((one) => one.peer === peer);
      other.listed = parties.some((one) => one.peer === peer);
      if (other.listed) other.missesUntil = 0;
      this.#dropUnlessStays(peer, other);
      if (!other.listed) this.#timer = setTimeout(() => this.update(you, parties), GATHER_MS);
    }
    for (const { peer, page, sees } of others) {
      // A page that was loaded anew knows nothing of the connection that it had.
      if (this.#calls.has(peer) && this.#calls.get(peer).page !== page) this.#drop(peer);
      const other = this.#calls.get(peer) ?? this.#connect(peer);
      other.page = page;
      const seen = (mine?.sees ?? true) && sees !== false;
      if (other.seen === seen) continue;
      other.seen = seen;
      this.#tellOwn(other);
    }
    for (const { call } of this.#calls.values()) {
      call.limit("video", toPages(others.length));
      call.limit("share", shareToPages(others.length));
    }
  }

  /** What another page says about the connection to it. */
  hear({ from, kind, ...message }) {
    const other = this.#calls.get(from);
    if (!other) return this.#keep(from, { from, kind, ...message });
    this.by(message);
    const { call } = other;
    if (kind === "offer") call.offer(message);
    else if (kind === "answer") call.answer(message);
    else if (kind === "candidate") call.candidate(message);
    else if (kind === "bye") call.renew(message);
  }

  /** Our microphone and camera are on or off, or have changed, or what we show has. */
  own(state = this.#own) {
    this.#own = state;
    for (const other of this.#calls.values()) this.#tellOwn(other);
  }

  /** Say something to all, also to those who come later; of each type the newest counts. */
  tell(message) {
    this.#told.set(message.type, message);
    for (const { call } of this.#calls.values()) call.tell(message);
  }

  /** Say something to all who are connected; whether there was anyone. */
  say(message) {
    return [...this.#calls.values()].filter(({ call }) => call.say(message)).length > 0;
  }

  /** What we say gets through again, to a region that may have started anew. */
  signalling() {
    for (const other of this.#calls.values()) other.missesUntil = performance.now() + GATHER_MS;
    for (const { call } of this.#calls.values()) call.signalling();
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const peer of [...this.#calls.keys()]) this.#drop(peer);
  }

  // Someone removed is listed no more, and goes at once.
  #stays({ call, here, listed, missesUntil, left }) {
    return here || ((listed || performance.now() < missesUntil) && call.line === "connected" && !left);
  }

  #dropUnlessStays(peer, other) {
    if (this.#calls.get(peer) === other && !this.#stays(other)) this.#drop(peer);
  }

  // It may come a moment before the region's list that has its sender.
  #keep(peer, message) {
    const kept = this.#early.get(peer) ?? [];
    this.#early.clear(); // of one sender only: this is a moment, not a store
    if (kept.length < KEPT) this.#early.set(peer, [...kept, message]);
  }

  #connect(peer) {
    const other = { seen: true, here: true, listed: true, missesUntil: 0, left: false, tile: this.#makeTile(peer) };
    other.call = new Call(
      (message) => this.#relay(peer, other, message),
      this.#tracksFor(other),
      other.tile.makePicture,
      {
        line: (line) => {
          other.tile.line(line);
          this.#dropUnlessStays(peer, other);
        },
        gone: () => {
          other.left = true;
          this.#dropUnlessStays(peer, other);
        },
        far: (state) => other.tile.far(state),
        shown: (connection) => {
          other.left = false;
          other.tile.shown(connection.shown);
        },
        silent: (silent) => other.tile.silent(silent),
        message: (message) => this.#on.message(peer, message),
      },
      { offers: this.#you < peer, lookMs: LOOK_MS },
    );
    this.#calls.set(peer, other);
    other.call.by(this.#ice);
    for (const message of this.#told.values()) other.call.tell(message);
    this.#tellOwn(other);
    other.call.want(true);
    const kept = this.#early.get(peer) ?? [];
    this.#early.delete(peer);
    for (const message of kept) this.hear(message);
    return other;
  }

  #drop(peer) {
    const { call, tile } = this.#calls.get(peer);
    this.#calls.delete(peer);
    call.close();
    tile.remove();
  }

  // Someone who is to hear only gets no picture, and sends none.
  #tracksFor(other) {
    const devices = this.#devices;
    return {
      get audio() { return devices.audio; },
      get video() { return other.seen ? devices.video : null; },
      get share() { return other.seen ? devices.share ?? null : null; },
    };
  }

  #tellOwn({ call, seen }) {
    return call.own({ ...this.#own, camera: this.#own.camera && seen });
  }

  // To the unit one asks for a new offer with resync; to a page with a bye of the attempt that came to nothing.
  #relay(peer, { call }, { type, ...message }) {
    const kind = type === "resync" ? "bye" : type;
    const stale = () => kind === "candidate" && message.attempt !== call.attempt;
    return this.#send({ type: "mesh", to: peer, kind, ...message }, stale);
  }
}
