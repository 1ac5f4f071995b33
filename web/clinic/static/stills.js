// A still picture of the room at the sensor's full size. It comes to this page alone and lives in its memory until it
// is saved or thrown away; only its saving is told to the region, for the log.

import { byId, fill, newId, say, texts } from "./page.js";
import { StillReceiver } from "./still_receiver.js";

const ANSWER_WITHIN_MS = 30000; // three seconds for the patient, and a large picture over a slow line
const REFUSED = { patient: "still_patient", busy: "still_busy", camera: "still_camera", not_allowed: "still_not_allowed" };

export class Stills {
  #say;
  #saved;
  #receiver = new StillReceiver();
  #asked = null;
  #shown = null;
  #timer = 0;

  /** `say(message)` reaches the unit, or is false; `saved()` runs when the picture has been saved. */
  constructor(sayToUnit, saved) {
    this.#say = sayToUnit;
    this.#saved = saved;
    byId("still").addEventListener("click", () => this.#ask());
    byId("still-save").addEventListener("click", () => this.#save());
    byId("still-discard").addEventListener("click", () => byId("still-dialog").close());
    byId("still-dialog").addEventListener("close", () => this.#forget());
  }

  /** What the unit says of it. */
  hear(message) {
    if (message.id !== this.#asked) return;
    if (message.type === "still_pending") this.#state(texts.still_pending);
    else if (message.type === "still_refused") this.#over(texts[REFUSED[message.reason]] ?? texts.still_failed);
    else if (!this.#receiver.begin(message)) this.#over(texts.still_failed);
    else this.#state(texts.still_comes);
  }

  async bytes(part) {
    try {
      const still = await this.#receiver.add(part);
      if (still) await this.#show(still);
    } catch {
      this.#receiver.drop();
      this.#over(texts.still_failed);
    }
  }

  /** The call is over: nothing of it stays. */
  stop() {
    this.#over("");
    byId("still-dialog").close();
    this.#forget();
  }

  #ask() {
    if (this.#asked) return;
    const id = newId(8);
    if (!this.#say({ type: "still_request", id })) return this.#state(texts.still_unreached);
    this.#asked = id;
    byId("still").disabled = true;
    this.#state(texts.still_asked);
    this.#timer = setTimeout(() => this.#over(texts.still_failed), ANSWER_WITHIN_MS);
  }

  #over(words) {
    clearTimeout(this.#timer);
    this.#asked = null;
    this.#receiver.drop();
    byId("still").disabled = false;
    this.#state(words);
  }

  #state(words) {
    say(byId("still-state"), words);
  }

  async #show({ blob }) {
    const picture = await createImageBitmap(blob);
    const canvas = byId("still-picture");
    [canvas.width, canvas.height] = [picture.width, picture.height];
    canvas.getContext("2d").drawImage(picture, 0, 0);
    byId("still-size").textContent = fill(texts.still_size, { width: picture.width, height: picture.height });
    picture.close();
    this.#shown = blob;
    this.#over("");
    byId("still-dialog").showModal();
  }

  #save() {
    if (!this.#shown) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(this.#shown);
    link.download = `${texts.still_file}-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.jpg`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000); // once the browser has taken it
    this.#saved();
    byId("still-dialog").close();
  }

  #forget() {
    this.#shown = null;
    const canvas = byId("still-picture");
    canvas.width = canvas.height = 1; // lets go of the pixels
  }
}
