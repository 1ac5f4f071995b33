// A still picture of the room at the sensor's full size. It comes to this page alone and lives in its memory until it
// is saved or thrown away; only its saving is told to the region, for the log.

import { byId, fill, newId, say, texts } from "./page.js";
import { StillReceiver } from "./still_receiver.js";

const SILENT_MS = 30000; // for the patient's answer, and between two pieces: a thin line may take minutes for all of them
const ASK_AGAIN_MS = 2000; // what is said over a connection that is just being replaced may be lost
const REFUSED = { patient: "still_patient", busy: "still_busy", camera: "still_camera", not_allowed: "still_not_allowed" };

export class Stills {
  #say;
  #saved;
  #receiver = new StillReceiver();
  #asked = null;
  #shown = null;
  #timer = 0;
  #again = 0;

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
    if (!this.#asked || message.id !== this.#asked) return;
    this.#wait();
    clearInterval(this.#again);
    if (message.type === "still_pending") this.#state(texts.still_pending);
    else if (message.type === "still_refused") this.#over(texts[REFUSED[message.reason]] ?? texts.still_failed);
    else if (!this.#receiver.begin(message)) this.#over(texts.still_failed);
    else this.#state(texts.still_comes);
  }

  async bytes(part) {
    if (!this.#asked) return;
    const id = this.#asked;
    this.#wait();
    try {
      const still = await this.#receiver.add(part);
      if (still) await this.#show(still, id);
    } catch {
      if (this.#asked === id) this.#over(texts.still_failed);
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
    this.#wait();
    this.#again = setInterval(() => this.#say({ type: "still_request", id }), ASK_AGAIN_MS);
  }

  #wait() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#over(texts.still_failed), SILENT_MS);
  }

  #over(words) {
    clearTimeout(this.#timer);
    clearInterval(this.#again);
    this.#asked = null;
    this.#receiver.drop();
    byId("still").disabled = false;
    this.#state(words);
  }

  #state(words) {
    say(byId("still-state"), words);
  }

  async #show({ blob }, id) {
    const picture = await createImageBitmap(blob);
    if (this.#asked !== id) return picture.close(); // the call has ended meanwhile
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
