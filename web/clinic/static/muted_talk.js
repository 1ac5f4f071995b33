// Whether somebody talks while their microphone is off. It is heard on this page alone, from a copy of the track, as
// one number ten times a second; nothing of it is sent or kept.

const EVERY_MS = 100;
const VOICE = 0.03; // root mean square: a low voice at a table's distance gives more
const NEWEST = 0.05; // how much one look counts: the last two seconds weigh most
const TALKS = 0.3; // of the looks: who talks pauses between words

export class MutedTalk {
  #track = null;
  #copy = null;
  #context = null;
  #timer = 0;
  #share = 0;

  get talks() {
    return this.#share > TALKS;
  }

  /** Listen to this track, which is off; null: to none. */
  follow(track) {
    if (track === this.#track) return;
    this.#track = track;
    this.#stop();
    if (!track) return;
    this.#copy = track.clone();
    this.#copy.enabled = true;
    this.#context = new AudioContext();
    const analyser = this.#context.createAnalyser();
    const samples = new Float32Array(analyser.fftSize);
    this.#context.createMediaStreamSource(new MediaStream([this.#copy])).connect(analyser);
    this.#timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, value) => sum + value * value, 0) / samples.length;
      this.#share += NEWEST * ((Math.sqrt(power) > VOICE ? 1 : 0) - this.#share);
    }, EVERY_MS);
  }

  #stop() {
    clearInterval(this.#timer);
    this.#copy?.stop();
    this.#context?.close().catch(() => {});
    this.#copy = this.#context = null;
    this.#share = 0;
  }
}
