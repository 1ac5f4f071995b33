// Every sound that a page makes: someone has come, someone knocks, help is called for. They come from the page itself;
// no file is loaded. What makes them sleeps in between.

const NOTES = { // Hz, and when each begins (s)
  arrival: [[659, 0], [880, 0.16]],
  knock: [[523, 0], [523, 0.18]],
  test: [[523, 0], [659, 0.25], [784, 0.5]],
  help: [[880, 0], [660, 0.22]],
};
const NOTE_S = 0.22;
const GAIN = 0.15;
const LOUD = { help: 0.35 };
const STARTS_WITHIN_MS = 1000;
const HEARD_AFTER_MS = 300; // what is played is on its way to the ear
const WAKES_WITHIN_MS = 5000; // a headset that sleeps takes seconds

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

let context = null;
let allowed = false;
let playing = 0;
const told = [];
// Browsers start sound only after a touch or a key; who has been allowed once may sound again.
for (const event of ["pointerdown", "keydown"]) addEventListener(event, () => allowed || wake());

/** Whether a sound played now is heard. */
export const audible = () => allowed;

/** `onChange` runs whenever that has changed. */
export const whenAudible = (onChange) => told.push(onChange);

/** Ask the browser to let us sound. */
export async function wake() {
  await start(own());
  rest();
}

/**
 * Play it where sounds go by default, or into `destination` of `on` (an AudioContext). Resolves when it is over, or
 * at once when the browser does not let us: nothing waits to be played later.
 */
export async function chime(name, on = null, destination = null) {
  const player = on ?? own();
  playing += 1;
  if (await start(player)) {
    const into = destination ?? player.destination;
    const ends = NOTES[name].map(([hertz, at]) => note(player, into, hertz, at, LOUD[name] ?? GAIN));
    await wait(Math.max(...ends) * 1000 + HEARD_AFTER_MS);
  }
  playing -= 1;
  rest();
}

function own() {
  if (context) return context;
  context = new AudioContext();
  context.onstatechange = look;
  return context;
}

function look() {
  if (allowed || context?.state !== "running") return;
  allowed = true;
  for (const tell of told) tell();
}

function rest() {
  if (!playing && context?.state === "running") context.suspend().catch(() => {});
}

// Without a touch, resume() may never settle.
async function start(player) {
  await Promise.race([player.resume().catch(() => {}), wait(allowed ? WAKES_WITHIN_MS : STARTS_WITHIN_MS)]);
  look();
  return player.state === "running";
}

function note(player, destination, hertz, at, loudness) {
  const tone = player.createOscillator();
  const gain = player.createGain();
  const begin = player.currentTime + at;
  tone.frequency.value = hertz;
  gain.gain.setValueAtTime(0, begin);
  gain.gain.linearRampToValueAtTime(loudness, begin + 0.02); // no click
  gain.gain.linearRampToValueAtTime(0, begin + NOTE_S);
  tone.connect(gain).connect(destination);
  tone.start(begin);
  tone.stop(begin + NOTE_S);
  return at + NOTE_S;
}
