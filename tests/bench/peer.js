// One end of a connection, driven by the bench. Every description is complete: candidates are waited for.

const HELD_KBIT_PER_S = { min: 1500, start: 2000, max: 2500 };

let connection = null;

function open() {
  connection = new RTCPeerConnection({ iceServers: [] });
  const received = new MediaStream();
  connection.addEventListener("track", ({ track }) => {
    received.addTrack(track);
    document.querySelector("video").srcObject = received;
  });
  return connection;
}

async function described() {
  if (connection.iceGatheringState !== "complete") {
    await new Promise((resolve) => {
      connection.addEventListener("icegatheringstatechange", () => {
        if (connection.iceGatheringState === "complete") resolve();
      });
    });
  }
  return connection.localDescription.sdp;
}

// Chromium starts low and shrinks the picture while it learns the line: hold it at full size, or figures of
// different sizes would be compared.
function held(sdp) {
  const limits = Object.entries(HELD_KBIT_PER_S).map(([name, value]) => `x-google-${name}-bitrate=${value}`);
  const video = [...sdp.matchAll(/a=rtpmap:(\d+) (H264|VP8)\/90000/g)].map((match) => match[1]);
  const lines = sdp.split("\r\n").filter((line) => line);
  for (const type of video) {
    const at = lines.findIndex((line) => line.startsWith(`a=fmtp:${type} `));
    if (at >= 0) {
      lines[at] = [lines[at].replace(/;?x-google-[a-z]+-bitrate=\d+/g, ""), ...limits].join(";");
    } else {
      const map = lines.findIndex((line) => line.startsWith(`a=rtpmap:${type} `));
      lines.splice(map + 1, 0, `a=fmtp:${type} ${limits.join(";")}`);
    }
  }
  return lines.join("\r\n") + "\r\n";
}

async function hold() {
  const sender = connection.getSenders().find(({ track }) => track?.kind === "video");
  const parameters = sender.getParameters();
  parameters.degradationPreference = "maintain-resolution";
  for (const encoding of parameters.encodings) encoding.maxBitrate = HELD_KBIT_PER_S.max * 1000;
  await sender.setParameters(parameters);
}

const bench = {
  // Answer an offer, with our own picture and sound where `send` is true.
  async answer(sdp, send) {
    open();
    await connection.setRemoteDescription({ type: "offer", sdp: send ? held(sdp) : sdp });
    if (send) for (const track of await filmTracks("webcodecs")) connection.addTrack(track);
    await connection.setLocalDescription(await connection.createAnswer());
    if (send) await hold();
    return described();
  },

  // Offer our picture and sound, the picture with the given codec and way (film_camera.js).
  async offer(codec, way) {
    open();
    for (const track of await filmTracks(way)) {
      const transceiver = connection.addTransceiver(track, { direction: "sendonly" });
      if (track.kind !== "video") continue;
      const known = RTCRtpSender.getCapabilities("video").codecs;
      const first = known.filter(({ mimeType, sdpFmtpLine = "" }) => mimeType === `video/${codec}`
        && (codec !== "H264" || /packetization-mode=1.*profile-level-id=42e01f/.test(sdpFmtpLine)));
      transceiver.setCodecPreferences([...first, ...known.filter(({ mimeType }) => mimeType === "video/rtx")]);
    }
    await connection.setLocalDescription(await connection.createOffer());
    return described();
  },

  // WHEP, as the kiosk's page does it: offer to receive.
  async offerToReceive() {
    open();
    connection.addTransceiver("audio", { direction: "recvonly" });
    connection.addTransceiver("video", { direction: "recvonly" });
    await connection.setLocalDescription(await connection.createOffer());
    return described();
  },

  async accept(sdp, send) {
    await connection.setRemoteDescription({ type: "answer", sdp: send ? held(sdp) : sdp });
    if (send) await hold();
  },

  decoded: async () => (await inbound(connection)).video?.framesDecoded ?? 0,

  begin: (readsClock) => beginReceiving(connection, readsClock),
  finish: () => finishReceiving(connection),

  // What we send now.
  async sent() {
    for (const report of (await connection.getStats()).values()) {
      if (report.type === "outbound-rtp" && report.kind === "video") {
        const { frameWidth, frameHeight, framesPerSecond, qualityLimitationReason, encoderImplementation } = report;
        return { frameWidth, frameHeight, framesPerSecond, qualityLimitationReason, encoderImplementation };
      }
    }
    return {};
  },
};
