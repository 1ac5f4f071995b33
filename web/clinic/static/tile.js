// One other party on the stage: picture, name, and how it is with them.

import { begin, byId, fill, make, say, texts } from "./page.js";
import { Picture } from "./picture.js";

export class Tile {
  #box = make("div", { className: "picture" });
  #name = make("span", { className: "name" });
  #note = make("p", { className: "tile-note", hidden: true });
  #off = make("p", { className: "off", hidden: true });
  #muted = make("span", { className: "muted", hidden: true, textContent: texts.muted });
  #line = "connecting";
  #silent = false;
  #who = "";
  element;
  makePicture = (onFirstFrame) => new Picture(this.#box, byId("sound-on"), onFirstFrame);

  /** `onShown(stream)` gets what this party shows, for each new connection. */
  constructor(peer, onShown) {
    this.onShown = onShown;
    this.element = make("figure", { className: "tile", data: { peer, line: "connecting" } },
      this.#box, this.#off, this.#note, make("figcaption", {}, this.#name, this.#muted));
    byId("tiles").append(this.element);
    this.#draw();
  }

  /** `who`: the name, or the role of someone who gave none; `role` stands with a name. */
  named(who, role) {
    this.#who = who;
    this.#name.textContent = who === role ? begin(role) : `${who}, ${role}`;
    this.#off.textContent = begin(who);
    const enlarge = this.element.querySelector(".enlarge");
    if (enlarge) enlarge.ariaLabel = `${texts.enlarge}: ${this.#name.textContent}`;
    this.#draw();
  }

  line(line) {
    this.#line = line;
    this.element.dataset.line = line;
    this.#draw();
  }

  far({ microphone, camera }) {
    this.element.dataset.microphone = microphone ? "on" : "off";
    this.element.dataset.camera = camera ? "on" : "off";
    this.#muted.hidden = microphone;
    this.#off.hidden = camera;
  }

  shown(stream) {
    this.onShown(stream);
  }

  silent(silent) {
    this.#silent = silent;
    this.#draw();
  }

  remove() {
    for (const video of this.#box.querySelectorAll("video")) video.srcObject = null;
    this.element.remove();
  }

  #draw() {
    const words = { connecting: texts.connecting, reconnecting: texts.reconnecting_short, lost: texts.lost_short }[this.#line];
    say(this.#note, words ?? (this.#silent ? fill(texts.no_sound, { who: this.#who }) : ""));
  }
}
