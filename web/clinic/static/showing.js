// What this page shows the others: its screen, or pictures from this computer. To the room it goes on a connection of
// its own, to the other pages beside the camera's picture.

import { Call } from "./call.js";
import { DocumentSource } from "./document_source.js";
import { SHARE } from "./limits.js";
import { announce, byId, fill, main, problem, say, texts } from "./page.js";
import { refusal } from "./signals.js";

const SCREEN = { width: { max: 1920 }, height: { max: 1080 }, frameRate: { max: 10 } };

export class Showing {
  #send;
  #onTrack;
  #tracks = { audio: null, video: null };
  #documents = null;
  #call = null;
  #starting = false;

  /** `send` posts a signal; `onTrack(track or null)` runs when what is shown begins or is over. */
  constructor(send, onTrack) {
    this.#send = (message) => send({ ...message, share: true },
      ({ type, attempt }) => type === "candidate" && attempt !== this.#call?.attempt);
    this.#onTrack = onTrack;
    byId("show-screen").addEventListener("click", () => this.#begin(() => this.#screen()));
    byId("show-files").addEventListener("change", (event) => {
      const files = [...event.target.files];
      event.target.value = ""; // the same file may be chosen again
      if (files.length) this.#begin(() => this.#open(files));
    });
    byId("show-stop").addEventListener("click", () => this.stop());
    this.#steerDocuments();
  }

  get track() {
    return this.#tracks.video;
  }

  /** The room's signals for the connection that carries what is shown. */
  hear(message) {
    if (!this.track) return;
    if (message.type === "offer") this.#call?.offer(message);
    else if (message.type === "candidate") this.#call?.candidate(message);
  }

  /** The region is heard again: it may have missed that something is shown. */
  again() {
    if (!this.track) return;
    this.#send({ type: "share", on: true });
    this.#call?.signalling();
  }

  /** Nothing is shown any more. */
  async stop({ tell = true } = {}) {
    if (!this.track) return;
    const track = this.track;
    this.#tracks.video = null;
    track.onended = null;
    track.stop();
    this.#documents?.close();
    this.#documents = null;
    this.#call?.close();
    this.#call = null;
    this.#draw();
    this.#onTrack(null);
    if (tell) await this.#send({ type: "share", on: false });
  }

  async #begin(open) {
    if (this.#starting) return;
    this.#starting = true;
    try {
      const track = await open();
      if (track) await this.#show(track);
    } finally {
      this.#starting = false;
    }
  }

  async #screen() {
    if (!navigator.mediaDevices?.getDisplayMedia) return void problem(texts.no_screen);
    try {
      const stream = await navigator.mediaDevices.getDisplayMedia({ video: SCREEN, audio: false });
      await this.stop();
      return stream.getVideoTracks()[0];
    } catch (error) {
      // Closing the browser's own question is an answer too.
      if (error.name !== "NotAllowedError") problem(texts.no_screen);
      return null;
    }
  }

  async #open(files) {
    const documents = new DocumentSource();
    try {
      const track = await documents.open(files);
      await this.stop();
      this.#documents = documents;
      return track;
    } catch {
      problem(texts.no_picture);
      return null;
    }
  }

  async #show(track) {
    track.contentHint = "detail";
    track.onended = () => this.stop();
    this.#tracks.video = track;
    this.#call = new Call(this.#send, this.#tracks, null, { line: (line) => { main.dataset.showingLine = line; } }, { receives: false });
    this.#call.limit("video", SHARE);
    this.#draw();
    const answer = await this.#send({ type: "share", on: true });
    if (this.track !== track) return; // stopped meanwhile, by the browser's own button
    if (!answer?.ok) {
      problem(await refusal(answer));
      return this.stop({ tell: !answer }); // without an answer it may have been taken all the same
    }
    problem("");
    this.#call?.want(true);
    this.#onTrack(track);
    announce(texts.showing_begun);
  }

  #draw() {
    main.dataset.showing = this.track ? "on" : "off";
    byId("showing-now").hidden = !this.track;
    byId("show-choices").hidden = Boolean(this.track);
    byId("document-tools").hidden = !this.#documents;
    byId("document-preview").replaceChildren(...(this.#documents ? [this.#documents.canvas] : []));
    this.#drawPage();
  }

  #drawPage() {
    const page = this.#documents?.page;
    say(byId("document-page"), page && page.of > 1 ? fill(texts.page_of, page) : "");
    for (const id of ["document-next", "document-previous"]) byId(id).hidden = !page || page.of < 2;
  }

  #steerDocuments() {
    const steps = {
      "document-next": (source) => source.turn(1),
      "document-previous": (source) => source.turn(-1),
      "document-nearer": (source) => source.zoom(1),
      "document-farther": (source) => source.zoom(-1),
      "document-whole": (source) => source.zoom(0),
    };
    for (const [id, step] of Object.entries(steps)) {
      byId(id).addEventListener("click", () => {
        if (this.#documents) step(this.#documents);
        this.#drawPage();
      });
    }
    byId("document-preview").addEventListener("click", (event) => {
      const box = event.currentTarget.getBoundingClientRect();
      this.#documents?.centre({ x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height });
    });
  }
}
