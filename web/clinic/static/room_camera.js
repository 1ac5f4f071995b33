// The room's camera: which of them, and where it looks. These are wishes; what is drawn is what the unit says it does.

import { announce, byId, fill, main, texts } from "./page.js";
import { contained, into, pan, step } from "./zoom.js";

const SAID = { main: "camera_is_main", hand: "camera_is_hand" };
const LEAST_DRAG_PX = 24; // less is a click that slipped

export class RoomCamera {
  #wish;
  #people;
  #view = { camera: "main", zoom: null, hand: false };
  #from = null;

  /** `wish(view)` asks the unit; false when it cannot be reached. */
  constructor(wish, people) {
    this.#wish = wish;
    this.#people = people;
    const zooms = {
      "zoom-nearer": () => step(this.#view.zoom, 1),
      "zoom-farther": () => step(this.#view.zoom, -1),
      "zoom-whole": () => null,
      "pan-left": () => pan(this.#view.zoom, -1, 0),
      "pan-right": () => pan(this.#view.zoom, 1, 0),
      "pan-up": () => pan(this.#view.zoom, 0, -1),
      "pan-down": () => pan(this.#view.zoom, 0, 1),
    };
    for (const [id, zoom] of Object.entries(zooms)) byId(id).addEventListener("click", () => this.#ask({ zoom: zoom() }));
    for (const camera of ["main", "hand"]) {
      byId(`camera-${camera}`).addEventListener("click", () => this.#ask({ camera, zoom: null }));
    }
    this.#drags(byId("remote"));
  }

  /** As the unit says it is. */
  is({ camera, zoom, hand, by }) {
    const changed = camera !== this.#view.camera;
    this.#view = { camera: camera === "hand" ? "hand" : "main", zoom: zoom ?? null, hand: Boolean(hand) };
    if (changed && by !== this.#people.you) announce(texts[SAID[this.#view.camera]]);
    this.draw();
  }

  draw() {
    const { camera, zoom, hand } = this.#view;
    const may = this.#people.iMayLook && main.dataset.stage === "call";
    byId("room-camera").hidden = !may;
    main.dataset.zoomed = zoom ? "yes" : "no";
    byId("camera-which").hidden = !hand;
    for (const one of ["main", "hand"]) byId(`camera-${one}`).setAttribute("aria-pressed", camera === one);
    for (const id of ["zoom-farther", "zoom-whole", "pan-left", "pan-right", "pan-up", "pan-down"]) byId(id).disabled = !zoom;
    byId("zoom-state").textContent = zoom
      ? fill(texts.zoomed, { times: (1 / zoom.width).toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 }) })
      : texts.zoom_whole;
  }

  #ask(wish) {
    // Drawn at once, so that the next click goes on from here; the unit's word comes after, and counts.
    const said = this.#wish({ type: "view", camera: this.#view.camera, zoom: this.#view.zoom, ...wish });
    if (!said) return;
    Object.assign(this.#view, wish);
    this.draw();
  }

  #drags(box) {
    const frame = byId("drag-frame");
    const at = (event) => {
      const { left, top } = box.getBoundingClientRect();
      return { x: event.clientX - left, y: event.clientY - top };
    };
    box.addEventListener("pointerdown", (event) => {
      const may = this.#people.iMayLook && box.dataset.large === "true" && event.button === 0 && event.pointerType !== "touch";
      if (!may || event.target.closest("button")) return;
      this.#from = at(event);
      box.setPointerCapture(event.pointerId);
    });
    box.addEventListener("pointermove", (event) => {
      if (!this.#from) return;
      const { x, y, width, height } = between(this.#from, at(event));
      Object.assign(frame.style, { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` });
      frame.hidden = Math.max(width, height) < LEAST_DRAG_PX;
    });
    const over = (event) => {
      const rectangle = this.#from && event.type === "pointerup" ? between(this.#from, at(event)) : null;
      this.#from = null;
      frame.hidden = true;
      if (rectangle && Math.max(rectangle.width, rectangle.height) >= LEAST_DRAG_PX) this.#draw(box, rectangle);
    };
    for (const name of ["pointerup", "pointercancel"]) box.addEventListener(name, over);
  }

  #draw(box, drawn) {
    const video = box.querySelector("video.shown");
    if (!video?.videoWidth) return;
    const lies = contained(box.getBoundingClientRect(), { width: video.videoWidth, height: video.videoHeight });
    const rectangle = {
      x: (drawn.x - lies.x) / lies.width,
      y: (drawn.y - lies.y) / lies.height,
      width: drawn.width / lies.width,
      height: drawn.height / lies.height,
    };
    this.#ask({ zoom: into(this.#view.zoom, rectangle) });
  }
}

function between(a, b) {
  return { x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), width: Math.abs(a.x - b.x), height: Math.abs(a.y - b.y) };
}
