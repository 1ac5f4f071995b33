// What arrives: latencies by the clock in the picture, and Chromium's own counters between begin and finish.

const READ_EVERY = 2; // every other picture is enough, and spares the processor

let latencies = [];
let unreadable = 0;
let reading = false;
let before = null;

async function inbound(connection) {
  let codec = "";
  let video = null;
  const reports = await connection.getStats();
  for (const report of reports.values()) {
    if (report.type === "inbound-rtp" && report.kind === "video") video = report;
  }
  if (video) codec = reports.get(video.codecId)?.mimeType ?? "";
  return { at: performance.now(), codec, video };
}

async function beginReceiving(connection, readsClock) {
  latencies = [];
  unreadable = 0;
  before = await inbound(connection);
  reading = readsClock;
  if (reading) watch(document.querySelector("video"));
}

function watch(video) {
  let count = 0;
  const onFrame = (_now, { width, height }) => {
    const shownAt = performance.timeOrigin + performance.now();
    if (!reading) return;
    video.requestVideoFrameCallback(onFrame);
    count += 1;
    if (count % READ_EVERY === 0) readFrame(video, width, height, shownAt);
  };
  video.requestVideoFrameCallback(onFrame);
}

async function readFrame(video, width, height, shownAt) {
  const frame = new VideoFrame(video);
  const rows = Math.floor(height / CLOCK_ROWS_IN_HEIGHT / 2) * 2;
  const rect = { x: 0, y: 0, width, height: rows };
  const options = { rect, format: "RGBA" };
  const data = new Uint8Array(frame.allocationSize(options));
  try {
    await frame.copyTo(data, options);
  } finally {
    frame.close();
  }
  const value = readClock({ data, width, height: rows }, rows * CLOCK_ROWS_IN_HEIGHT);
  if (value === null) unreadable += 1;
  else latencies.push(clockAge(value, shownAt));
}

async function finishReceiving(connection) {
  reading = false;
  const after = await inbound(connection);
  const seconds = (after.at - before.at) / 1000;
  const grown = (name) => (after.video?.[name] ?? 0) - (before.video?.[name] ?? 0);
  return {
    seconds,
    codec: after.codec.replace("video/", ""),
    width: after.video?.frameWidth ?? 0,
    height: after.video?.frameHeight ?? 0,
    fps: grown("framesDecoded") / seconds,
    kbit_per_s: (grown("bytesReceived") * 8) / seconds / 1000,
    frames_decoded: grown("framesDecoded"),
    frames_dropped: grown("framesDropped"),
    freezes: grown("freezeCount"),
    keyframes_decoded: grown("keyFramesDecoded"),
    packets_lost: grown("packetsLost"),
    nacks: grown("nackCount"),
    plis: grown("pliCount"),
    repaired: grown("retransmittedPacketsReceived"),
    jitter_buffer_ms: (grown("jitterBufferDelay") / Math.max(1, grown("jitterBufferEmittedCount"))) * 1000,
    latencies,
    unreadable,
  };
}
