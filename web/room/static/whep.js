// One WebRTC connection to the agent (WHEP, RFC 9725): offer posted at once, no wait for candidates,
// since the answer carries the agent's and it learns ours from the first check (RFC 8445 section 7.3.1.3).

const CONNECT_TIMEOUT_MS = 5000;
const DISCONNECTED_GRACE_MS = 3000;

// Names ending in .local cost the agent a second of looking up, and lead nowhere on one machine.
export function withoutLocalNames(sdp) {
  return sdp.split("\r\n").filter((line) => !(line.startsWith("a=candidate:") && line.includes(".local "))).join("\r\n");
}

export class WhepConnection {
  constructor(name, { onStream, onFailed }) {
    this.name = name;
    this.stream = new MediaStream();
    this.onStream = onStream;
    this.onFailed = onFailed;
    this.closed = false;
    this.wasConnected = false;
    this.resource = null;
    this.timer = null;
  }

  async start() {
    const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    this.pc = pc;
    pc.addTransceiver("video", { direction: "recvonly" });
    if (this.name !== "self") pc.addTransceiver("audio", { direction: "recvonly" });
    pc.ontrack = ({ track }) => {
      const add = () => {
        this.stream.addTrack(track);
        this.onStream(this);
      };
      // Beside a picture of which nothing comes, Chromium plays no sound: it joins with its first packet.
      if (track.kind === "video" && track.muted) track.addEventListener("unmute", add, { once: true });
      else add();
    };
    pc.onconnectionstatechange = () => this.changed();
    this.timer = setTimeout(() => this.fail(), CONNECT_TIMEOUT_MS);
    try {
      await pc.setLocalDescription();
      const response = await fetch(`/whep/${this.name}`, {
        method: "POST",
        headers: { "Content-Type": "application/sdp" },
        body: withoutLocalNames(pc.localDescription.sdp),
      });
      if (response.status !== 201) throw new Error(`WHEP ${response.status}`);
      this.resource = response.headers.get("Location");
      const sdp = await response.text();
      if (this.closed) this.release();
      else await pc.setRemoteDescription({ type: "answer", sdp });
    } catch {
      this.fail();
    }
  }

  get connected() {
    return this.pc?.connectionState === "connected";
  }

  changed() {
    const state = this.pc.connectionState;
    clearTimeout(this.timer);
    this.wasConnected ||= state === "connected";
    if (state === "failed") this.fail();
    else if (state === "disconnected") this.timer = setTimeout(() => this.fail(), DISCONNECTED_GRACE_MS);
    else if (state === "connecting") this.timer = setTimeout(() => this.fail(), CONNECT_TIMEOUT_MS);
  }

  fail() {
    if (this.closed) return;
    this.close();
    this.onFailed(this);
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    this.pc?.close();
    this.release();
  }

  release() {
    if (!this.resource) return;
    const resource = this.resource;
    this.resource = null;
    fetch(resource, { method: "DELETE", keepalive: true }).catch(() => {});
  }
}
