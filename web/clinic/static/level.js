// The microphone's level, drawn on a <meter>.

const UPDATE_MS = 100;
const FULL_SCALE = 0.35; // root mean square of a loud voice

/** Follow a track (or none) on the meter; returns a function that takes another track. */
export function showLevel(meter) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  const samples = new Float32Array(analyser.fftSize);
  let source = null;
  // Browsers start sound only after a touch or a key.
  for (const event of ["pointerdown", "keydown"]) addEventListener(event, () => context.resume(), { once: true });
  setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, value) => sum + value * value, 0) / samples.length;
    meter.value = source ? Math.min(1, Math.sqrt(power) / FULL_SCALE) : 0;
  }, UPDATE_MS);
  return (track) => {
    source?.disconnect();
    source = track ? context.createMediaStreamSource(new MediaStream([track])) : null;
    source?.connect(analyser);
  };
}
