// A short chime to test the sound with, made here: two notes, at the volume that is chosen.

const NOTES_HZ = [660, 880];
const NOTE_S = 0.55;
const HEARD_AFTER_MS = 300; // what is played is on its way to the ear
let context = null;
let playing = 0;

// A context that runs works a few hundred times a second, and the meeting is long.
function over() {
  playing -= 1;
  if (!playing) context.suspend();
}

export async function chime(volume) {
  context ??= new AudioContext();
  playing += 1;
  try {
    await context.resume();
  } catch (error) {
    playing -= 1;
    throw error;
  }
  setTimeout(over, 2 * NOTE_S * 1000 + HEARD_AFTER_MS);
  NOTES_HZ.forEach((frequency, place) => {
    const begins = context.currentTime + 0.05 + place * NOTE_S * 0.7;
    const gain = new GainNode(context, { gain: 0 });
    const tone = new OscillatorNode(context, { frequency });
    gain.gain.setValueAtTime(0, begins);
    gain.gain.linearRampToValueAtTime(volume, begins + 0.03);
    gain.gain.exponentialRampToValueAtTime(0.001, begins + NOTE_S);
    tone.connect(gain).connect(context.destination);
    tone.start(begins);
    tone.stop(begins + NOTE_S);
  });
}
