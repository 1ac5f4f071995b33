// How the line to the room and to the region is, in words over the picture.

import { announce, byId, main, say, texts } from "./page.js";

const UNREACHED_SAID_AFTER_MS = 3000; // a server that restarts is back by then

export class RoomLine {
  #reconnecting;
  #timer = 0;
  #unreached = false;

  /** `reconnecting()` runs when the room has gone quiet. */
  constructor(reconnecting) {
    this.#reconnecting = reconnecting;
  }

  /** Of the call: idle, connecting, connected, reconnecting or lost. */
  line(line) {
    main.dataset.line = line;
    say(byId("line"), ["connecting", "reconnecting"].includes(line) ? texts[line] : "");
    byId("gone").hidden = line !== "lost";
    if (line === "reconnecting") this.#reconnecting();
    this.#draw();
    if (line === "connected") announce(texts.connected);
  }

  /** The room's microphone and camera. */
  far({ microphone, camera }) {
    main.dataset.roomMicrophone = microphone ? "on" : "off";
    main.dataset.roomCamera = camera ? "on" : "off";
    say(byId("remote-note"), [microphone ? "" : texts.room_muted, camera ? "" : texts.room_camera_off].join(" ").trim());
  }

  silent(silent) {
    say(byId("room-silent"), silent ? texts.room_silent : "");
  }

  /** The region carries no picture and no sound: without it the call goes on. */
  feed(up) {
    if (up) {
      clearTimeout(this.#timer);
      this.#unreached = false;
    } else if (main.dataset.feed !== "down") {
      this.#timer = setTimeout(() => { this.#unreached = true; this.#draw(); }, UNREACHED_SAID_AFTER_MS);
    }
    main.dataset.feed = up ? "up" : "down";
    this.#draw();
  }

  #draw() {
    byId("unreached").hidden = !this.#unreached || main.dataset.line !== "connected";
  }
}
