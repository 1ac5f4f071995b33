// Notes, in a page's own context, when pictures with a fresh clock are shown, when the other side's tone is heard,
// and what the page says of its line. Touches nothing that the page does. Needs tests/bench/clock_pattern.js.

(() => {
  const REMOTE = '#remote video, video[data-media^="peer/"]';
  const FRESH_MS = 1500; // older pictures are not news, whenever they are shown
  const READ_EVERY_MS = 90;
  const LISTEN_EVERY_MS = 50;
  const FFT_SIZE = 4096; // 85 ms of sound, 11.7 Hz a bin
  const QUIETEST_DB = -75;
  const STANDS_OUT_DB = 15;
  const SHOULDER_BINS = [4, 20];

  const unixMs = () => performance.timeOrigin + performance.now();
  let notes = { pictures: [], stale: 0, sounds: [], words: [] };
  let said = "";
  let context = null;
  const watched = new WeakSet();
  const ears = new WeakMap();

  function watch(video) {
    if (watched.has(video)) return;
    watched.add(video);
    let readAt = 0;
    const onFrame = (_now, { width, height }) => {
      video.requestVideoFrameCallback(onFrame);
      if (performance.now() - readAt < READ_EVERY_MS) return;
      readAt = performance.now();
      readClockOf(video, width, height).catch(() => {});
    };
    video.requestVideoFrameCallback(onFrame);
  }

  async function readClockOf(video, width, height) {
    const at = unixMs();
    const rows = Math.floor(height / CLOCK_ROWS_IN_HEIGHT / 2) * 2;
    const options = { rect: { x: 0, y: 0, width, height: rows }, format: "RGBA" };
    const frame = new VideoFrame(video);
    const data = new Uint8Array(frame.allocationSize(options));
    await frame.copyTo(data, options).finally(() => frame.close());
    const value = readClock({ data, width, height: rows }, rows * CLOCK_ROWS_IN_HEIGHT);
    if (value !== null && clockAge(value, at) < FRESH_MS) notes.pictures.push(at);
    else notes.stale += 1;
  }

  function ear(stream) {
    context ??= new AudioContext();
    context.resume();
    const analyser = new AnalyserNode(context, { fftSize: FFT_SIZE, smoothingTimeConstant: 0 });
    context.createMediaStreamSource(stream).connect(analyser);
    return { analyser, level: new Float32Array(analyser.frequencyBinCount), track: stream.getAudioTracks()[0] };
  }

  function hears({ analyser, level }, hz) {
    analyser.getFloatFrequencyData(level);
    const at = Math.round(hz / (context.sampleRate / FFT_SIZE));
    const [near, far] = SHOULDER_BINS;
    const around = [...level.slice(at - far, at - near), ...level.slice(at + near, at + far)].sort((a, b) => a - b);
    const own = Math.max(...level.slice(at - 1, at + 2));
    return own > QUIETEST_DB && own - around[around.length >> 1] > STANDS_OUT_DB;
  }

  function listen() {
    for (const video of document.querySelectorAll(REMOTE)) {
      watch(video);
      const stream = video.srcObject;
      if (!stream?.getAudioTracks().length || video.muted) continue;
      if (ears.get(stream)?.track !== stream.getAudioTracks()[0]) ears.set(stream, ear(stream));
      if (hears(ears.get(stream), window.recorder.toneHz)) return void notes.sounds.push(unixMs());
    }
  }

  function look() {
    const unfed = document.body.dataset.panel?.startsWith("feed-"); // the touchscreen without its agent
    const line = unfed ? "reconnecting" : document.body.dataset.line ?? document.querySelector("#content")?.dataset.line ?? "";
    const page = document.body.dataset.page ?? document.querySelector("#content")?.dataset.stage ?? "";
    const shown = [...document.querySelectorAll("#line, #unreached, #gone, .line, .lost, #panel")]
      .filter((element) => element.checkVisibility()).map((element) => element.innerText.trim());
    const now = JSON.stringify({ page, line, text: shown.filter(Boolean).join(" | ") });
    if (now !== said) notes.words.push([unixMs(), JSON.parse(now)]);
    said = now;
  }

  setInterval(() => { look(); listen(); }, LISTEN_EVERY_MS);

  window.recorder = {
    toneHz: 0,
    peek: () => notes,
    take() {
      const taken = notes;
      notes = { pictures: [], stale: 0, sounds: [], words: taken.words.slice(-1) };
      return taken;
    },
  };
})();
