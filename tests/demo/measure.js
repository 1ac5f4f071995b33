// In the demo's pages, before their own scripts: keeps the connections that the page makes, notes when the first
// remote picture was shown, reads the clock in the pictures, and draws the clock into the office's camera.
// Loaded after clock_pattern.js, film_camera.js and receiver.js of the bench, whose functions it uses.

const demo = { connections: [], admittedAt: null, firstFrameAt: null, watched: new WeakSet(), before: null };

const NativeConnection = window.RTCPeerConnection;
window.RTCPeerConnection = class extends NativeConnection {
  constructor(...options) {
    super(...options);
    demo.connections.push(this);
  }
};

document.addEventListener("click", (event) => {
  if (event.target.closest("#admit")) demo.admittedAt = unixMs();
}, { capture: true });

// The remote picture of either page, whenever it is put into the document.
setInterval(() => {
  for (const video of document.querySelectorAll("#remote video, video[data-media^='peer/']")) {
    if (demo.watched.has(video)) continue;
    demo.watched.add(video);
    let count = 0;
    const onFrame = (now, { width, height }) => {
      video.requestVideoFrameCallback(onFrame);
      demo.firstFrameAt ??= performance.timeOrigin + now;
      count += 1;
      if (reading && count % READ_EVERY === 0) readFrame(video, width, height, unixMs());
    };
    video.requestVideoFrameCallback(onFrame);
  }
}, 5);

async function inboundNow() {
  const found = { at: performance.now(), audio: null, video: null };
  for (const connection of demo.connections) {
    if (connection.connectionState !== "connected") continue;
    const reports = [...(await connection.getStats()).values()].filter((one) => one.type === "inbound-rtp");
    // The touchscreen's own picture is a connection too: the remote party's is the one with sound.
    if (!reports.some((one) => one.kind === "audio")) continue;
    for (const report of reports) found[report.kind] = report;
  }
  return found;
}

window.demoBegin = async () => {
  latencies = [];
  reading = true;
  demo.before = await inboundNow();
};

window.demoFinish = async () => {
  reading = false;
  const [before, after] = [demo.before, await inboundNow()];
  const seconds = (after.at - before.at) / 1000;
  const grown = (kind, name) => (after[kind]?.[name] ?? 0) - (before[kind]?.[name] ?? 0);
  return {
    seconds,
    width: after.video?.frameWidth ?? 0,
    height: after.video?.frameHeight ?? 0,
    frames_decoded: grown("video", "framesDecoded"),
    freezes: grown("video", "freezeCount"),
    packets_lost: grown("video", "packetsLost") + grown("audio", "packetsLost"),
    jitter_buffer_ms: (grown("video", "jitterBufferDelay") / Math.max(1, grown("video", "jitterBufferEmittedCount"))) * 1000,
    audio_level: Math.sqrt(grown("audio", "totalAudioEnergy") / Math.max(0.001, grown("audio", "totalSamplesDuration"))),
    audio_concealed_ratio: grown("audio", "concealedSamples") / Math.max(1, grown("audio", "totalSamplesReceived")),
    latencies,
    admitted_at: demo.admittedAt,
    first_frame_at: demo.firstFrameAt,
  };
};

// The office's camera is Chromium's own capture of a film; the clock is drawn into each picture on its way out.
const askDevices = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
if (askDevices) {
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    const stream = await askDevices(constraints);
    const [camera] = stream.getVideoTracks();
    if (!camera) return stream;
    const { readable } = new MediaStreamTrackProcessor({ track: camera });
    const generator = new MediaStreamTrackGenerator({ kind: "video" });
    const writer = generator.writable.getWriter();
    const draw = async (frames) => {
      for (let next = await frames.read(); !next.done; next = await frames.read()) await show(next.value, writer);
    };
    draw(readable.getReader()).catch(() => camera.stop());
    const stopDrawn = generator.stop.bind(generator);
    generator.stop = () => { stopDrawn(); camera.stop(); };
    return new MediaStream([generator, ...stream.getAudioTracks()]);
  };
}
