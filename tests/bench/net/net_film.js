// The prepared film (footage.py) as a camera and a microphone that keep step: the sound is played by an AudioContext,
// whose real-time thread no busy page can hold up, and the picture follows the sound's clock. The clock of
// clock_pattern.js is written into the luma of each picture: no canvas, no compositor.

const DECODED_AHEAD = 4;
const SOUND_STARTS_IN_S = 0.3;

const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const unixMs = () => performance.timeOrigin + performance.now();

async function filmStream() {
  const film = await (await fetch("film.json")).json();
  const { track: sound, startedAt } = await filmSound(film);
  return new MediaStream([filmPicture(film, startedAt), sound]);
}

// startedAt: performance.now() at which the film's sound began to leave for the encoder.
async function filmSound({ sound, soundRate }) {
  const context = new AudioContext({ sampleRate: soundRate });
  const samples = new Int16Array(bytesOf(sound).buffer);
  const buffer = context.createBuffer(1, samples.length, soundRate);
  buffer.copyToChannel(Float32Array.from(samples, (sample) => sample / 32768), 0);
  const source = new AudioBufferSourceNode(context, { buffer, loop: true });
  const out = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
  source.connect(out);
  await context.resume();
  const begin = context.currentTime + SOUND_STARTS_IN_S;
  source.start(begin);
  // The context's clock goes in steps of its buffer, and a look at it comes late: the earliest start seen is the truest.
  let startedAt = Infinity;
  while (context.currentTime < begin) {
    startedAt = Math.min(startedAt, performance.now() + (begin - context.currentTime) * 1000);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  return { track: out.stream.getAudioTracks()[0], startedAt };
}

function filmPicture(film, startedAt) {
  const chunks = film.pictures.map(({ key, data }) => ({ type: key ? "key" : "delta", data: bytesOf(data) }));
  const interval = 1000 / film.frameRate;
  const ready = [];
  let decoded = 0;
  const output = (frame) => ready.push({ frame, number: decoded++ });
  const decoder = new VideoDecoder({ output, error: (error) => { throw error; } });
  decoder.configure({ codec: film.codec, description: bytesOf(film.description), optimizeForLatency: true });
  let fed = 0;
  const feed = () => {
    while (ready.length + decoder.decodeQueueSize < DECODED_AHEAD) {
      const { type, data } = chunks[fed % chunks.length];
      decoder.decode(new EncodedVideoChunk({ type, data, timestamp: Math.round((fed * 1e6) / film.frameRate) }));
      fed += 1;
    }
  };

  const track = new MediaStreamTrackGenerator({ kind: "video" });
  track.contentHint = "motion";
  const writer = track.writable.getWriter();
  const tick = async () => {
    const due = Math.floor((performance.now() - startedAt) / interval + 0.01);
    while (ready.length > 1 && ready[0].number < due) ready.shift().frame.close(); // a late page leaves pictures out
    if (ready.length && ready[0].number <= due) await show(ready.shift().frame, writer, startedAt + due * interval);
    feed();
    const next = startedAt + (Math.floor((performance.now() - startedAt) / interval + 0.01) + 1) * interval;
    setTimeout(tick, Math.max(0, next - performance.now()));
  };
  feed();
  setTimeout(tick, Math.max(0, startedAt - performance.now()));
  return track;
}

async function show(frame, writer, due) {
  const taken = performance.timeOrigin + due; // the moment that a camera would have taken it
  const { format, colorSpace, visibleRect: { width, height } } = frame; // the coded size may be padded
  const pixels = new Uint8Array(frame.allocationSize());
  const layout = await frame.copyTo(pixels);
  frame.close();
  drawClock(pixels, layout, width, height, Math.round(taken));
  const options = { format, codedWidth: width, codedHeight: height, colorSpace, layout };
  const timestamp = Math.round(unixMs() * 1000);
  await writer.write(new VideoFrame(pixels, { ...options, timestamp, transfer: [pixels.buffer] }));
}
