// Two tones, again and again, until somebody comes.

import { audible, chime, wake, whenAudible } from "./chime.js";

const EVERY_MS = 2500;

export class Ringer {
  #button;
  #timer = 0;

  /** `button` is shown while the browser wants a touch before it plays anything. */
  constructor(button) {
    this.#button = button;
    button.addEventListener("click", wake);
    whenAudible(() => this.#draw());
  }

  /** Ring, or be quiet. */
  ring(on) {
    if (on === Boolean(this.#timer)) return;
    clearInterval(this.#timer);
    this.#timer = on ? setInterval(() => this.#sound(), EVERY_MS) : 0;
    if (on) this.#sound();
    this.#draw();
  }

  async #sound() {
    await chime("help");
    this.#draw();
  }

  #draw() {
    this.#button.hidden = !this.#timer || audible();
  }
}
