// One RTCPeerConnection: the unit offers, we answer. A rebuilt connection is a new one of these.

import { MediaWatch } from "./watch.js";

const CHANNEL = "halsorum";

export class Connection {
  #pc;
  #send;
  #channel = null;
  #early = [];
  #described = false;
  #senders = { audio: null, video: null };
  #ownState = null;
  stream = new MediaStream();
  watch = new MediaWatch();
  attached = false;

  /** `send` posts a signal; `on` has `track`, `state` (connection state) and `message` (from the room). */
  constructor(attempt, { iceServers, iceTransportPolicy }, send, on) {
    this.attempt = attempt;
    this.#send = send;
    this.#pc = new RTCPeerConnection({
      iceServers: iceServers ?? [],
      iceTransportPolicy: iceTransportPolicy ?? "all",
    });
    this.#pc.ontrack = ({ track }) => {
      this.stream.addTrack(track);
      on.track(this);
    };
    this.#pc.onconnectionstatechange = () => on.state(this, this.#pc.connectionState);
    this.#pc.onicecandidate = ({ candidate }) => this.#sendCandidate(candidate);
    this.#pc.ondatachannel = ({ channel }) => {
      if (channel.label === CHANNEL) this.#useChannel(channel, on.message);
    };
  }

  get state() {
    return this.#pc.connectionState;
  }

  /** Answer the unit's offer with our tracks (either may be null: it can come later). */
  async answer(sdp, tracks) {
    await this.#pc.setRemoteDescription({ type: "offer", sdp });
    for (const transceiver of this.#pc.getTransceivers()) {
      const { kind } = transceiver.receiver.track;
      if (this.#senders[kind]) continue;
      this.#senders[kind] = transceiver.sender;
      transceiver.direction = "sendrecv";
      await transceiver.sender.replaceTrack(tracks[kind]);
    }
    await this.#pc.setLocalDescription();
    const told = await this.#send({ type: "answer", attempt: this.attempt, sdp: this.#pc.localDescription.sdp });
    if (!told?.ok) throw new Error("the answer was not taken");
    this.#described = true;
    for (const candidate of this.#early.splice(0)) await this.addCandidate(candidate);
  }

  /** A candidate of the unit's; an empty one means that no more come. */
  async addCandidate(message) {
    if (!this.#described) return void this.#early.push(message);
    const { candidate, sdp_mid: sdpMid, sdp_m_line_index: sdpMLineIndex } = message;
    const given = candidate ? { candidate, sdpMid, sdpMLineIndex } : null;
    await this.#pc.addIceCandidate(given).catch(() => {}); // one that cannot be used leaves the others
  }

  /** Send another camera or microphone, or none. */
  async replace(kind, track) {
    await this.#senders[kind]?.replaceTrack(track);
  }

  /** Tell the room whether our microphone and camera are on. */
  tell(ownState) {
    this.#ownState = JSON.stringify({ type: "state", ...ownState });
    if (this.#channel?.readyState === "open") this.#channel.send(this.#ownState);
  }

  stats() {
    return this.#pc.getStats();
  }

  close() {
    this.#pc.onconnectionstatechange = null;
    this.#pc.close();
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

  #useChannel(channel, onMessage) {
    this.#channel = channel;
    const introduce = () => this.#ownState && channel.send(this.#ownState);
    channel.onopen = introduce;
    if (channel.readyState === "open") introduce();
    channel.onmessage = ({ data }) => {
      if (typeof data !== "string") return;
      try {
        onMessage(this, JSON.parse(data));
      } catch {
        // not JSON: nothing of ours
      }
    };
  }
}
