// Puts the machine-readable clock into the clinician's camera picture, live: a camera played from a file cannot
// carry the time of day. getUserMedia is wrapped in this page's context; the page itself is the real one.

(() => {
  const devices = navigator.mediaDevices;
  if (!devices) return;
  const getUserMedia = devices.getUserMedia.bind(devices);

  function withClock(camera) {
    const track = new MediaStreamTrackGenerator({ kind: "video" });
    const stop = track.stop.bind(track);
    track.stop = () => { camera.stop(); stop(); };
    track.getSettings = () => camera.getSettings();
    const frames = new MediaStreamTrackProcessor({ track: camera }).readable;
    frames.pipeThrough(new TransformStream({ transform: marked })).pipeTo(track.writable).catch(() => {});
    return track;
  }

  async function marked(frame, controller) {
    const { format, colorSpace, timestamp, visibleRect: { width, height } } = frame;
    const pixels = new Uint8Array(frame.allocationSize());
    const layout = await frame.copyTo(pixels);
    frame.close();
    drawClock(pixels, layout, width, height, Math.round(performance.timeOrigin + performance.now()));
    const options = { format, codedWidth: width, codedHeight: height, colorSpace, layout, timestamp };
    controller.enqueue(new VideoFrame(pixels, { ...options, transfer: [pixels.buffer] }));
  }

  devices.getUserMedia = async (wishes) => {
    const stream = await getUserMedia(wishes);
    for (const camera of stream.getVideoTracks()) {
      stream.removeTrack(camera);
      stream.addTrack(withClock(camera));
    }
    return stream;
  };
})();
