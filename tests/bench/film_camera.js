// The bench's footage as a camera and a microphone. Two ways to draw the clock into the picture:
//   webcodecs  decoded with WebCodecs, the clock written into the luma; no canvas, no compositor. This is the shortest
//              way that a page has from a film to an encoder, and what the unit is compared with.
//   canvas     a playing <video> drawn on a canvas whose stream is sent, as most pages would do it.

const DECODED_AHEAD = 4;

const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const unixMs = () => performance.timeOrigin + performance.now();

async function filmTracks(way) {
  const picture = way === "canvas" ? await canvasPicture() : filmPicture(await (await fetch("film.json")).json());
  return [picture, await filmSound()];
}

async function filmSound() {
  const context = new AudioContext({ sampleRate: 48000 });
  const film = new Audio("film.mp4"); // decoded while it plays, as the other senders do
  film.loop = true;
  const out = context.createMediaStreamDestination();
  context.createMediaElementSource(film).connect(out);
  await film.play();
  return out.stream.getAudioTracks()[0];
}

async function canvasPicture() {
  const video = document.createElement("video");
  Object.assign(video, { src: "film.mp4", loop: true, muted: true, playsInline: true });
  document.body.append(video);
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: 1280, height: 720 });
  const context = canvas.getContext("2d", { alpha: false });
  const draw = () => {
    video.requestVideoFrameCallback(draw);
    context.drawImage(video, 0, 0);
    const bits = clockBits(Math.round(unixMs()));
    const [cell, row] = [canvas.width / CLOCK_CELLS, canvas.height / CLOCK_ROWS_IN_HEIGHT];
    for (const [index, bit] of bits.entries()) {
      context.fillStyle = bit ? "white" : "black";
      context.fillRect(index * cell, 0, cell, row);
    }
  };
  video.requestVideoFrameCallback(draw);
  await video.play();
  return canvas.captureStream().getVideoTracks()[0];
}

function filmPicture(film) {
  const chunks = film.pictures.map(({ key, data }) => ({ type: key ? "key" : "delta", data: bytesOf(data) }));
  const ready = [];
  const decoder = new VideoDecoder({ output: (frame) => ready.push(frame), error: (error) => { throw error; } });
  decoder.configure({ codec: film.codec, description: bytesOf(film.description) });
  let fed = 0;
  const feed = () => {
    while (ready.length + decoder.decodeQueueSize < DECODED_AHEAD) {
      const { type, data } = chunks[fed % chunks.length];
      decoder.decode(new EncodedVideoChunk({ type, data, timestamp: (fed * 1e6) / film.frameRate }));
      fed += 1;
    }
  };

  const track = new MediaStreamTrackGenerator({ kind: "video" });
  const writer = track.writable.getWriter();
  const interval = 1000 / film.frameRate;
  let due = performance.now() + 100;
  const tick = async () => {
    const frame = ready.shift();
    if (frame) await show(frame, writer);
    feed();
    due += interval * Math.max(1, Math.ceil((performance.now() - due) / interval));
    setTimeout(tick, Math.max(0, due - performance.now()));
  };
  feed();
  setTimeout(tick, 100);
  return track;
}

async function show(frame, writer) {
  const now = unixMs();
  const { format, colorSpace, visibleRect: { width, height } } = frame; // the coded size may be padded
  const pixels = new Uint8Array(frame.allocationSize());
  const layout = await frame.copyTo(pixels);
  frame.close();
  drawClock(pixels, layout, width, height, Math.round(now));
  const options = { format, codedWidth: width, codedHeight: height, colorSpace, layout };
  const timestamp = Math.round(now * 1000);
  await writer.write(new VideoFrame(pixels, { ...options, timestamp, transfer: [pixels.buffer] }));
}
