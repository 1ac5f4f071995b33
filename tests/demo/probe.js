// Watches a page's call from inside its own context, touching nothing that the page does: keeps its
// RTCPeerConnections for getStats, notes the admit click and the first picture, reads the clock in the picture,
// and adds up the spectrum of what is heard. Needs tests/bench/clock_pattern.js before it.

(() => {
  const REMOTE = '#remote video, video[data-media^="peer/"]';
  const READ_EVERY = 3; // every third picture is enough, and spares the processor
  const LISTEN_EVERY_MS = 100;
  const FFT_SIZE = 8192; // 5.9 Hz a bin at 48 kHz
  const SHOULDER_BINS = [4, 24]; // a tone is judged against what lies this far on both sides of it

  const connections = [];
  const watched = new WeakSet();
  const unixMs = () => performance.timeOrigin + performance.now();
  const probe = { admitAt: null, firstFrameAt: null, latencies: [], unreadable: 0 };
  let measuring = false;
  let power = null;
  let hzPerBin = 0;

  window.RTCPeerConnection = new Proxy(RTCPeerConnection, {
    construct(native, given) {
      const made = new native(...given);
      connections.push(made);
      return made;
    },
  });

  addEventListener("click", ({ target }) => {
    if (target.closest?.("#admit")) probe.admitAt ??= unixMs();
  }, true);

  new MutationObserver(() => document.querySelectorAll(REMOTE).forEach(watch))
    .observe(document, { childList: true, subtree: true });

  function watch(video) {
    if (watched.has(video)) return;
    watched.add(video);
    let count = 0;
    const onFrame = (_now, { presentationTime, width, height }) => {
      const shownAt = unixMs();
      probe.firstFrameAt ??= performance.timeOrigin + presentationTime;
      video.requestVideoFrameCallback(onFrame);
      count += 1;
      if (measuring && count % READ_EVERY === 0) readLatency(video, width, height, shownAt);
    };
    video.requestVideoFrameCallback(onFrame);
  }

  async function readLatency(video, width, height, shownAt) {
    const rows = Math.floor(height / CLOCK_ROWS_IN_HEIGHT / 2) * 2;
    const options = { rect: { x: 0, y: 0, width, height: rows }, format: "RGBA" };
    const frame = new VideoFrame(video);
    const data = new Uint8Array(frame.allocationSize(options));
    await frame.copyTo(data, options).finally(() => frame.close());
    const value = readClock({ data, width, height: rows }, rows * CLOCK_ROWS_IN_HEIGHT);
    if (value === null) probe.unreadable += 1;
    else probe.latencies.push(clockAge(value, shownAt));
  }

  function shown() {
    const frames = (video) => video.getVideoPlaybackQuality().totalVideoFrames;
    return [...document.querySelectorAll(REMOTE)].sort((one, other) => frames(other) - frames(one))[0];
  }

  async function listen() {
    const context = new AudioContext();
    await context.resume();
    const analyser = new AnalyserNode(context, { fftSize: FFT_SIZE, smoothingTimeConstant: 0 });
    context.createMediaStreamSource(shown().srcObject).connect(analyser);
    const level = new Float32Array(analyser.frequencyBinCount);
    hzPerBin = context.sampleRate / FFT_SIZE;
    power = new Float64Array(level.length);
    while (measuring) {
      await new Promise((resolve) => setTimeout(resolve, LISTEN_EVERY_MS));
      analyser.getFloatFrequencyData(level);
      level.forEach((decibels, bin) => { power[bin] += 10 ** (decibels / 10); });
    }
    context.close();
  }

  // How far a tone stands out of what lies around it, in dB.
  function prominence(hz) {
    const at = Math.round(hz / hzPerBin);
    const [near, far] = SHOULDER_BINS;
    const around = [...power.slice(at - far, at - near), ...power.slice(at + near, at + far)].sort((a, b) => a - b);
    const ground = Math.max(around[around.length >> 1], Number.MIN_VALUE);
    return 10 * Math.log10(Math.max(...power.slice(at - 1, at + 2), Number.MIN_VALUE) / ground);
  }

  async function stats() {
    const [track] = shown().srcObject.getVideoTracks();
    const holds = (connection) => connection.getReceivers().some((receiver) => receiver.track === track);
    const found = { at: performance.now() };
    for (const report of (await connections.find(holds).getStats()).values()) {
      if (report.type === "inbound-rtp") found[report.kind] = report;
    }
    return found;
  }

  window.demoProbe = {
    marks: () => ({ admitAt: probe.admitAt, firstFrameAt: probe.firstFrameAt }),
    async begin() {
      measuring = true;
      listen();
      return stats();
    },
    async finish(tones) {
      measuring = false;
      const prominences = Object.fromEntries(tones.map((hz) => [hz, prominence(hz)]));
      return { ...(await stats()), ...probe, tones: prominences };
    },
  };
})();
