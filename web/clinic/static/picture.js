// The other end's picture and sound. A rebuilt connection gets its own <video>, which takes over at its first frame.

import { toLoudspeaker } from "./loudspeaker.js";

const TAKE_OVER_MS = 3000; // the room's camera may be off: then no frame will ever come

export class Picture {
  #box;
  #soundButton;
  #shown = null;
  #onFirstFrame;

  /** `onFirstFrame(connection)` runs when a connection's picture has taken over. */
  constructor(box, soundButton, onFirstFrame) {
    this.#box = box;
    this.#soundButton = soundButton;
    this.#onFirstFrame = onFirstFrame;
    soundButton.addEventListener("click", () => this.#turnOnSound());
  }

  /** Show a connection's stream, once it has something to show. */
  attach(connection) {
    const video = document.createElement("video");
    video.autoplay = video.playsInline = true;
    video.dataset.attempt = connection.attempt;
    video.srcObject = connection.stream;
    toLoudspeaker(video);
    this.#box.prepend(video);
    video.requestVideoFrameCallback(() => this.#takeOver(video, connection));
    this.#play(video);
    return video;
  }

  /** The connection was given up before it had anything to show. */
  discard(connection) {
    const video = this.#of(connection);
    if (video && video !== this.#shown) this.#remove(video);
  }

  #of(connection) {
    return this.#box.querySelector(`video[data-attempt="${connection.attempt}"]`);
  }

  /** The connection is up, but it may carry sound only. */
  connected(connection) {
    const video = this.#of(connection);
    if (video) setTimeout(() => this.#takeOver(video, connection), TAKE_OVER_MS);
  }

  #takeOver(video, connection) {
    if (!video.isConnected || video === this.#shown) return;
    if (this.#shown && Number(this.#shown.dataset.attempt) > connection.attempt) return;
    video.classList.add("shown");
    this.#shown = video;
    for (const other of this.#box.querySelectorAll("video")) if (other !== video) this.#retire(other, video);
    this.#onFirstFrame(connection);
  }

  #retire(other, video) {
    if (Number(other.dataset.attempt) > Number(video.dataset.attempt)) return;
    this.#remove(other);
  }

  #remove(video) {
    video.srcObject = null;
    video.remove();
  }

  async #play(video) {
    try {
      await video.play();
    } catch (error) {
      if (error.name !== "NotAllowedError") return;
      // The browser wants a click before sound: show the picture meanwhile.
      video.muted = true;
      this.#soundButton.hidden = false;
      await video.play().catch(() => {});
    }
  }

  #turnOnSound() {
    for (const video of this.#box.querySelectorAll("video")) {
      video.muted = false;
      video.play().catch(() => {});
    }
    this.#soundButton.hidden = true;
  }
}
