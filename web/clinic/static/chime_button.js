// The button for the sound when someone arrives. On or off is remembered in this browser.

import { audible, chime, wake } from "./chime.js";

const KEPT = "halsorum.sound";

const isOff = () => localStorage.getItem(KEPT) === "off";

/** Drives the button: its words say what is so; `ring()` sounds if it may. */
export class ChimeButton {
  #button;

  constructor(button) {
    this.#button = button;
    button.addEventListener("click", () => this.#press());
    button.hidden = false;
    this.#draw();
    // Browsers start sound only after a touch or a key; until then the button says so.
    if (!isOff()) wake(() => this.#draw());
  }

  /** Whether it rang. */
  ring() {
    if (isOff() || !audible()) return false;
    chime("arrival");
    return true;
  }

  #press() {
    // The press itself is the touch that was missing: then it turns nothing off.
    if (this.#button.dataset.sound !== "blocked") localStorage.setItem(KEPT, isOff() ? "on" : "off");
    wake(() => this.#draw());
    this.#draw();
    this.ring();
  }

  #draw() {
    const { dataset } = this.#button;
    dataset.sound = isOff() ? "off" : audible() ? "on" : "blocked";
    this.#button.textContent = dataset[dataset.sound];
  }
}
