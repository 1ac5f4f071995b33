// The button for the sound when someone arrives. On or off is remembered in this browser.

import { audible, chime, wake, whenAudible } from "./chime.js";

const KEPT = "halsorum.sound";

const isOff = () => localStorage.getItem(KEPT) === "off";

/** Drives the button: its words say what is so; `ring()` sounds if it may. */
export class ChimeButton {
  #button;
  #before = null; // what it said when the finger came down: the press itself may be what lets us sound

  constructor(button) {
    this.#button = button;
    for (const event of ["pointerdown", "keydown"]) {
      button.addEventListener(event, () => { this.#before = button.dataset.sound; });
    }
    button.addEventListener("click", () => this.#press());
    button.hidden = false;
    this.#draw();
    // Browsers start sound only after a touch or a key; until then the button says so.
    whenAudible(() => this.#draw());
    if (!isOff()) wake();
  }

  /** Whether it rang. */
  ring() {
    if (isOff() || !audible()) return false;
    chime("arrival");
    return true;
  }

  async #press() {
    const { sound } = this.#button.dataset;
    // The press itself is the touch that was missing: then it turns nothing off.
    if ((this.#before ?? sound) !== "blocked") localStorage.setItem(KEPT, isOff() ? "on" : "off");
    this.#before = null;
    this.#draw();
    await wake();
    this.ring();
  }

  #draw() {
    const { dataset } = this.#button;
    dataset.sound = isOff() ? "off" : audible() ? "on" : "blocked";
    this.#button.textContent = dataset[dataset.sound];
  }
}
