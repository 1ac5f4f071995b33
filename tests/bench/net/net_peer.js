// One end of a connection, driven by the bench. Every description is complete: candidates are waited for.
// Chromium sends as in a call: its own congestion control from its own start, its own choice of size and frame rate.

const MAX_BIT_RATE = 2_500_000; // the unit's own limit

let connection = null;

function open() {
  connection = new RTCPeerConnection({ iceServers: [], bundlePolicy: "max-bundle" });
  const received = new MediaStream();
  const video = document.querySelector("video");
  connection.addEventListener("track", ({ track }) => {
    received.addTrack(track);
    video.srcObject = received;
    if (track.kind === "audio") watchSound(track);
    else watchPicture(video);
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

// H.264 first, as the unit sends it; everything else stays as the browser has it.
function preferH264(transceiver) {
  const { codecs } = RTCRtpSender.getCapabilities("video");
  const first = codecs.filter(({ mimeType }) => mimeType === "video/H264");
  transceiver.setCodecPreferences([...first, ...codecs.filter((codec) => !first.includes(codec))]);
}

async function limit(sender) {
  const parameters = sender.getParameters();
  parameters.degradationPreference = "balanced";
  for (const encoding of parameters.encodings) encoding.maxBitrate = MAX_BIT_RATE;
  await sender.setParameters(parameters);
}

const videoSender = () => connection.getSenders().find(({ track }) => track?.kind === "video");

const bench = {
  // Offer the film's picture and sound.
  async offer() {
    open();
    const stream = await filmStream();
    for (const track of stream.getTracks()) {
      const transceiver = connection.addTransceiver(track, { direction: "sendonly", streams: [stream] });
      if (track.kind === "video") preferH264(transceiver);
    }
    await connection.setLocalDescription(await connection.createOffer());
    return described();
  },

  // Answer an offer, with the film's picture and sound where `send` is true.
  async answer(sdp, send) {
    open();
    await connection.setRemoteDescription({ type: "offer", sdp });
    if (send) {
      const stream = await filmStream();
      for (const track of stream.getTracks()) connection.addTrack(track, stream);
    }
    await connection.setLocalDescription(await connection.createAnswer());
    if (send) await limit(videoSender());
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

  async accept(sdp) {
    await connection.setRemoteDescription({ type: "answer", sdp });
    if (videoSender()) await limit(videoSender());
  },

  decoded: async () => (await inbound(connection)).video.framesDecoded ?? 0,

  begin: (samplesUrl) => beginReceiving(connection, samplesUrl),
  finish: () => finishReceiving(connection),

  // What we send now, and what the browser believes that the line carries.
  async sending() {
    const found = {};
    for (const report of (await connection.getStats()).values()) {
      if (report.type === "outbound-rtp" && report.kind === "video") {
        const { frameWidth, frameHeight, framesPerSecond, qualityLimitationReason, encoderImplementation } = report;
        Object.assign(found, { frameWidth, frameHeight, framesPerSecond, qualityLimitationReason, encoderImplementation });
        found.codec = report.codecId;
      } else if (report.type === "candidate-pair" && report.nominated) {
        found.estimate = report.availableOutgoingBitrate;
        found.round_trip_s = report.currentRoundTripTime;
      }
    }
    return found;
  },
};
