// Two tones, again and again, until somebody comes. Made here: no file to load, nothing to go missing.

const EVERY_MS = 2500;
const TONES = [[880, 0], [660, 0.22]]; // hertz, seconds after the beginning
const TONE_S = 0.18;
const LOUDNESS = 0.35;

export class Ringer {
  #button;
  #context = null;
  #timer = 0;

  /** `button` is shown while the browser wants a touch before it plays anything. */
  constructor(button) {
    this.#button = button;
    button.addEventListener("click", () => this.#wake());
    for (const event of ["pointerdown", "keydown"]) addEventListener(event, () => this.#timer && this.#wake());
  }

  /** Ring, or be quiet. */
  ring(on) {
    if (on === Boolean(this.#timer)) return;
    if (on) {
      this.#context ??= new AudioContext();
      this.#timer = setInterval(() => this.#sound(), EVERY_MS);
      this.#sound();
    } else {
      clearInterval(this.#timer);
      this.#timer = 0;
      this.#button.hidden = true;
    }
  }

  async #wake() {
    await this.#context?.resume();
    this.#button.hidden = true;
  }

  #sound() {
    this.#button.hidden = this.#context.state === "running";
    if (this.#context.state !== "running") return;
    for (const [frequency, after] of TONES) {
      const start = this.#context.currentTime + after;
      const gain = new GainNode(this.#context, { gain: 0 });
      const tone = new OscillatorNode(this.#context, { frequency });
      gain.gain.setTargetAtTime(LOUDNESS, start, 0.01);
      gain.gain.setTargetAtTime(0, start + TONE_S - 0.04, 0.01);
      tone.connect(gain).connect(this.#context.destination);
      tone.start(start);
      tone.stop(start + TONE_S);
    }
  }
}
