// One RTCPeerConnection. The unit offers and we answer; of two pages one offers. A rebuilt connection is a new one.

import { limit } from "./limits.js";
import { MediaWatch } from "./watch.js";

const CHANNEL = "halsorum";
const SENT = ["audio", "video", "share"]; // the order they are offered in; the unit has no third

export class Connection {
  #pc;
  #send;
  #on;
  #channel = null;
  #early = [];
  #described = false;
  #senders = { audio: null, video: null, share: null };
  #kept = new Map();
  stream = new MediaStream();
  shown = new MediaStream();
  watch = new MediaWatch();
  attached = false;

  /**
   * `send` posts a signal; `on` has `track`, `state` (connection state, or "gone" when the other end has closed),
   * `message` and `bytes` (what the channel brings).
   */
  constructor(attempt, { iceServers, iceTransportPolicy }, send, on) {
    this.attempt = attempt;
    this.#send = send;
    this.#on = on;
    this.#pc = new RTCPeerConnection({
      iceServers: iceServers ?? [],
      iceTransportPolicy: iceTransportPolicy ?? "all",
    });
    this.#pc.ontrack = ({ track, transceiver }) => {
      const add = () => {
        (this.#kind(transceiver) === "share" ? this.shown : this.stream).addTrack(track);
        on.track(this);
      };
      // Beside a picture of which nothing comes, Chromium plays no sound: it joins with its first packet.
      if (track.kind === "video" && track.muted) track.addEventListener("unmute", add, { once: true });
      else add();
    };
    this.#pc.onconnectionstatechange = () => on.state(this, this.#pc.connectionState);
    this.#pc.onicecandidate = ({ candidate }) => this.#sendCandidate(candidate);
    this.#pc.ondatachannel = ({ channel }) => channel.label === CHANNEL && this.#useChannel(channel);
  }

  get state() {
    return this.#pc.connectionState;
  }

  /** Answer an offer with our tracks (any may be null: it can come later). */
  async answer(sdp, tracks) {
    await this.#pc.setRemoteDescription({ type: "offer", sdp });
    for (const transceiver of this.#pc.getTransceivers()) {
      const kind = this.#kind(transceiver);
      if (this.#senders[kind]) continue;
      this.#senders[kind] = transceiver.sender;
      transceiver.direction = "sendrecv";
      await transceiver.sender.replaceTrack(tracks[kind] ?? null);
    }
    await this.#describe("answer");
    await this.#settled();
  }

  /** Offer ourselves to another page: sound, picture, and a place for what we may show. */
  async offer(tracks) {
    this.#useChannel(this.#pc.createDataChannel(CHANNEL));
    for (const kind of SENT) {
      const transceiver = this.#pc.addTransceiver(kind === "audio" ? "audio" : "video", { direction: "sendrecv" });
      this.#senders[kind] = transceiver.sender;
      await transceiver.sender.replaceTrack(tracks[kind] ?? null);
    }
    await this.#describe("offer");
  }

  /** The other page's answer to our offer. */
  async answered(sdp) {
    if (this.#pc.signalingState !== "have-local-offer") return;
    await this.#pc.setRemoteDescription({ type: "answer", sdp });
    await this.#settled();
  }

  /** A candidate of the other end's; an empty one means that no more come. */
  async addCandidate(message) {
    if (!this.#described) return void this.#early.push(message);
    const { candidate, sdp_mid: sdpMid, sdp_m_line_index: sdpMLineIndex } = message;
    const given = candidate ? { candidate, sdpMid, sdpMLineIndex } : null;
    await this.#pc.addIceCandidate(given).catch(() => {}); // one that cannot be used leaves the others
  }

  /** Send another track of a kind, or none. */
  async replace(kind, track) {
    const sender = this.#senders[kind];
    if (sender && sender.track !== track) await sender.replaceTrack(track);
  }

  /** Send a kind at most so large, so often and at such a bit rate; null: as the browser likes. */
  async limit(kind, most) {
    if (this.#senders[kind]) await limit(this.#senders[kind], most);
  }

  /** Say something, now or when the channel opens; of each type only the newest is kept. */
  tell(message) {
    this.#kept.set(message.type, message);
    this.say(message);
  }

  /** Say something now; false when there is no channel for it. */
  say(message) {
    if (this.#channel?.readyState !== "open") return false;
    this.#channel.send(JSON.stringify(message));
    return true;
  }

  stats() {
    return this.#pc.getStats();
  }

  close() {
    this.#pc.onconnectionstatechange = null;
    if (this.#channel) this.#channel.onclose = null;
    this.#pc.close();
  }

  #kind({ receiver }) {
    if (receiver.track.kind === "audio") return "audio";
    const pictures = this.#pc.getTransceivers().filter((one) => one.receiver.track.kind === "video");
    return pictures[0]?.receiver === receiver ? "video" : "share";
  }

  async #describe(type) {
    await this.#pc.setLocalDescription();
    const told = await this.#send({ type, attempt: this.attempt, sdp: this.#pc.localDescription.sdp });
    if (!told?.ok) throw new Error(`the ${type} was not taken`);
  }

  async #settled() {
    this.#described = true;
    for (const candidate of this.#early.splice(0)) await this.addCandidate(candidate);
  }

  #sendCandidate(candidate) {
    this.#send({
      type: "candidate",
      attempt: this.attempt,
      candidate: candidate?.candidate ?? "",
      sdp_mid: candidate?.sdpMid ?? null,
      sdp_m_line_index: candidate?.sdpMLineIndex ?? null,
    });
  }

  #useChannel(channel) {
    this.#channel = channel;
    channel.binaryType = "arraybuffer";
    const introduce = () => this.#kept.forEach((message) => this.say(message));
    channel.onopen = introduce;
    channel.onclose = () => this.#on.state(this, "gone");
    if (channel.readyState === "open") introduce();
    channel.onmessage = ({ data }) => {
      if (typeof data !== "string") return void this.#on.bytes?.(data);
      let message = null;
      try {
        message = JSON.parse(data);
      } catch {
        return; // not JSON: nothing of ours
      }
      this.#on.message(this, message);
    };
  }
}
