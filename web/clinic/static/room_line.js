// How the line to the room and to the region is, in words over the picture.

import { announce, byId, main, say, texts } from "./page.js";

const UNREACHED_SAID_AFTER_MS = 3000; // a server that restarts is back by then
// What the room says goes wrong (agent/call_watch.py), and its text.
const WARNINGS = {
  room_sound: "warn_room_sound", party_sound: "warn_party_sound", room_picture: "warn_room_picture",
  covered: "warn_covered", party_picture: "warn_party_picture", dark: "warn_dark", backlit: "warn_backlit",
};
const OWN = { own_silent: "warn_own_silent", own_muted: "warn_own_muted" };

export class RoomLine {
  #reconnecting;
  #timer = 0;
  #unreached = false;
  #own = "";
  #warning = "";
  #isOurs = false; // the room does not hear us: of our own microphone, which said so before
  #silent = false;

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

  /** It never gave a sound. */
  silent(silent) {
    this.#silent = silent;
    this.#draw();
  }

  /** What goes wrong with sound or picture by the room's eyes and ears, and is for this page; empty: nothing. */
  warn({ what }) {
    this.#warning = Object.hasOwn(WARNINGS, what) ? what : "";
    this.#isOurs = false;
    this.#draw();
  }

  /** What is wrong with our own microphone: a key of own_sound.js, or empty. */
  own(own) {
    if (own === this.#own) return;
    this.#own = own;
    this.#draw();
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
    const connected = main.dataset.line === "connected";
    byId("unreached").hidden = !this.#unreached || !connected;
    // One line: what is wrong here comes first, since it is mended here.
    this.#isOurs ||= this.#own === "own_silent" && this.#warning === "party_sound";
    const warning = this.#isOurs ? "" : this.#warning;
    const what = connected ? this.#own || warning || (this.#silent ? "silent" : "") : "";
    byId("warning").dataset.what = what;
    say(byId("warning"), what === "silent" ? texts.room_silent : texts[OWN[what] ?? WARNINGS[what]] ?? "");
  }
}
