// The microphone's level, drawn on a <meter> while it is seen: in a closed box it costs nothing.

const UPDATE_MS = 100;
const FULL_SCALE = 0.35; // root mean square of a loud voice

/** Follow a track (or none) on the meter; returns a function that takes another track. */
export function showLevel(meter) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  const samples = new Float32Array(analyser.fftSize);
  let source = null;
  let followed = null;
  let runs = true;

  // A context that runs works a few hundred times a second, and the meeting is long.
  const run = (wanted) => {
    if (wanted === runs) return;
    runs = wanted;
    (runs ? context.resume() : context.suspend()).catch(() => {});
  };
  // Browsers start sound only after a touch or a key.
  for (const event of ["pointerdown", "keydown"]) addEventListener(event, () => runs && context.resume(), { once: true });
  setInterval(() => {
    run(Boolean(source) && meter.checkVisibility());
    if (!runs) return;
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, value) => sum + value * value, 0) / samples.length;
    meter.value = Math.min(1, Math.sqrt(power) / FULL_SCALE);
  }, UPDATE_MS);
  return (track) => {
    if (track === followed) return;
    followed = track;
    source?.disconnect();
    source = track ? context.createMediaStreamSource(new MediaStream([track])) : null;
    source?.connect(analyser);
    if (!track) meter.value = 0;
  };
}
