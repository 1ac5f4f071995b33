// What arrives, as it is presented: each picture with the clock and the number in it, each tone in the sound, and
// Chromium's own counters. All times are Unix time in ms. What follows from it is for the bench to say.

const SAMPLE_EVERY_MS = 1000;

let presented = [];
let tones = [];
let sampleTo = "";
let sampledAt = 0;
let before = null;
let busy = new Set();

async function inbound(connection) {
  const found = { at: performance.now(), codec: "", video: {}, audio: {} };
  const reports = await connection.getStats();
  for (const report of reports.values()) {
    if (report.type === "inbound-rtp") found[report.kind] = report;
  }
  found.codec = reports.get(found.video.codecId)?.mimeType?.replace("video/", "") ?? "";
  return found;
}

function watchPicture(video) {
  const onFrame = (_now, { width, height, expectedDisplayTime, presentedFrames }) => {
    video.requestVideoFrameCallback(onFrame);
    const at = performance.timeOrigin + performance.now();
    const displayed = performance.timeOrigin + expectedDisplayTime;
    const entry = { at, displayed, width, height, count: presentedFrames, clock: null, number: null };
    presented.push(entry);
    const reading = readPicture(video, entry).catch(() => {}); // a picture that cannot be read stays null
    busy.add(reading);
    reading.finally(() => busy.delete(reading));
  };
  video.requestVideoFrameCallback(onFrame);
}

async function readPicture(video, entry) {
  const frame = new VideoFrame(video);
  try {
    const { width, height } = entry;
    const rows = Math.floor(height / CLOCK_ROWS_IN_HEIGHT / 2) * 2;
    entry.clock = await readStrip(frame, { x: 0, y: 0, width, height: rows });
    entry.number = await readStrip(frame, { x: 0, y: height - rows, width, height: rows });
    if (sampleTo && entry.at - sampledAt >= SAMPLE_EVERY_MS && entry.number !== null) {
      sampledAt = entry.at;
      await sendLuma(frame, entry);
    }
  } finally {
    frame.close();
  }
}

async function readStrip(frame, rect) {
  const options = { rect, format: "RGBA" };
  const data = new Uint8Array(frame.allocationSize(options));
  await frame.copyTo(data, options);
  return readClock({ data, width: rect.width, height: rect.height }, rect.height * CLOCK_ROWS_IN_HEIGHT);
}

async function sendLuma(frame, { width, height, number }) {
  const pixels = new Uint8Array(frame.allocationSize());
  const [{ offset, stride }] = await frame.copyTo(pixels);
  const body = pixels.subarray(offset, offset + stride * height);
  await fetch(`${sampleTo}?width=${width}&height=${height}&stride=${stride}&number=${number}`, { method: "POST", body });
}

// Sound comes out of the context getOutputTimestamp() later than it goes through the worklet.
async function watchSound(track) {
  const context = new AudioContext({ sampleRate: 48000 });
  await context.audioWorklet.addModule("tone_worklet.js");
  const listener = new AudioWorkletNode(context, "tone-listener");
  listener.port.onmessage = ({ data: frame }) => {
    const { contextTime, performanceTime } = context.getOutputTimestamp();
    tones.push(performance.timeOrigin + performanceTime + (frame / context.sampleRate - contextTime) * 1000);
  };
  const mute = new GainNode(context, { gain: 0 });
  new MediaStreamAudioSourceNode(context, { mediaStream: new MediaStream([track]) }).connect(listener);
  listener.connect(mute).connect(context.destination);
  await context.resume();
}

// Keeps the pictures before, from which the freeze's measure is taken.
async function beginReceiving(connection, samplesUrl) {
  before = await inbound(connection);
  sampleTo = samplesUrl;
  return performance.timeOrigin + before.at;
}

async function finishReceiving(connection) {
  const after = await inbound(connection);
  sampleTo = "";
  await Promise.all(busy);
  const grown = (kind, name) => (after[kind][name] ?? 0) - (before[kind][name] ?? 0);
  return {
    began: performance.timeOrigin + before.at,
    ended: performance.timeOrigin + after.at,
    codec: after.codec,
    presented: presented.map(({ at, displayed, width, height, count, clock, number }) =>
      [at, displayed, width, height, count, clock, number]),
    tones,
    frames_decoded: grown("video", "framesDecoded"),
    frames_dropped: grown("video", "framesDropped"),
    browser_freezes: grown("video", "freezeCount"),
    browser_frozen_s: grown("video", "totalFreezesDuration"),
    keyframes_decoded: grown("video", "keyFramesDecoded"),
    video_kbit_per_s: (grown("video", "bytesReceived") * 8) / (after.at - before.at),
    packets_lost: grown("video", "packetsLost"),
    nacks: grown("video", "nackCount"),
    plis: grown("video", "pliCount"),
    repaired: grown("video", "retransmittedPacketsReceived"),
    jitter_buffer_ms: (grown("video", "jitterBufferDelay") / Math.max(1, grown("video", "jitterBufferEmittedCount"))) * 1000,
    audio_jitter_buffer_ms:
      (grown("audio", "jitterBufferDelay") / Math.max(1, grown("audio", "jitterBufferEmittedCount"))) * 1000,
    audio_packets_lost: grown("audio", "packetsLost"),
    fec_packets: grown("audio", "fecPacketsReceived"),
    samples_received: grown("audio", "totalSamplesReceived"),
    samples_concealed: grown("audio", "concealedSamples"),
    samples_concealed_silent: grown("audio", "silentConcealedSamples"),
  };
}
