// Short sounds: someone has come, someone knocks. They come from the page itself; no file is loaded.

const NOTES = { // Hz, and when each begins (s)
  arrival: [[659, 0], [880, 0.16]],
  knock: [[523, 0], [523, 0.18]],
  test: [[523, 0], [659, 0.25], [784, 0.5]],
};
const NOTE_S = 0.22;
const GAIN = 0.15;
const STARTS_WITHIN_MS = 300;

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

let context = null;
// Browsers start sound only after a touch or a key.
for (const event of ["pointerdown", "keydown"]) {
  addEventListener(event, () => { (context ??= new AudioContext()).resume(); });
}

/** Whether a sound played now is heard. */
export const audible = () => context?.state === "running";

/** Ask the browser to let us sound; `onChange` runs whenever it has changed its mind. */
export function wake(onChange) {
  context ??= new AudioContext();
  context.onstatechange = onChange;
  context.resume().catch(() => null); // without a touch this may never settle
}

/** Play it where sounds go by default, or into `destination` of `on` (an AudioContext). Resolves when it is over. */
export async function chime(name, on = null, destination = null) {
  const player = on ?? (context ??= new AudioContext());
  if (player.state !== "running") await Promise.race([player.resume(), wait(STARTS_WITHIN_MS)]);
  if (player.state !== "running") return; // nothing waits to be played later
  const end = Math.max(...NOTES[name].map(([hertz, at]) => note(player, destination ?? player.destination, hertz, at)));
  await wait(end * 1000);
}

function note(player, destination, hertz, at) {
  const tone = player.createOscillator();
  const gain = player.createGain();
  const begin = player.currentTime + at;
  tone.frequency.value = hertz;
  gain.gain.setValueAtTime(0, begin);
  gain.gain.linearRampToValueAtTime(GAIN, begin + 0.02); // no click
  gain.gain.linearRampToValueAtTime(0, begin + NOTE_S);
  tone.connect(gain).connect(destination);
  tone.start(begin);
  tone.stop(begin + NOTE_S);
  return at + NOTE_S;
}
