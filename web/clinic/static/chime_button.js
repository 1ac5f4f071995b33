// A short sound when someone arrives, made here: two soft tones. On or off is remembered in this browser.

const KEPT = "halsorum.sound";
const TONES_HZ = [660, 880];
const TONE_S = 0.18;
const LOUDNESS = 0.25;

const isOff = () => localStorage.getItem(KEPT) === "off";

/** Drives the button: its words say what is so; `ring()` sounds if it may. */
export class Chime {
  #button;
  #context = null;

  constructor(button) {
    this.#button = button;
    button.addEventListener("click", () => this.#press());
    // Browsers start sound only after a touch or a key; until then the button says so.
    for (const event of ["pointerdown", "keydown"]) addEventListener(event, () => this.#wake(), { once: true });
    button.hidden = false;
    this.#draw();
    this.#wake();
  }

  ring() {
    if (isOff() || this.#context?.state !== "running") return false;
    const begin = this.#context.currentTime;
    TONES_HZ.forEach((hz, index) => this.#tone(hz, begin + index * TONE_S));
    return true;
  }

  #tone(hz, at) {
    const tone = new OscillatorNode(this.#context, { frequency: hz });
    const volume = new GainNode(this.#context, { gain: 0 });
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(LOUDNESS, at + 0.02);
    volume.gain.linearRampToValueAtTime(0, at + TONE_S * 1.6);
    tone.connect(volume).connect(this.#context.destination);
    tone.start(at);
    tone.stop(at + TONE_S * 2);
  }

  #press() {
    const wasBlocked = this.#button.dataset.sound === "blocked";
    if (!wasBlocked) localStorage.setItem(KEPT, isOff() ? "on" : "off");
    this.#wake().then(() => this.ring());
  }

  async #wake() {
    this.#context ??= new AudioContext();
    this.#context.onstatechange = () => this.#draw();
    // Without a touch this promise may never settle: what is so is drawn when it changes.
    if (!isOff()) this.#context.resume().catch(() => null);
    await new Promise((resolve) => setTimeout(resolve, 50));
    this.#draw();
  }

  #draw() {
    const { dataset } = this.#button;
    dataset.sound = isOff() ? "off" : this.#context?.state === "running" ? "on" : "blocked";
    this.#button.textContent = dataset[dataset.sound];
  }
}
