// What a hand may do to the glass by mistake: a palm, a second finger, a touch given twice, a drag. One finger's
// touch counts, however long it rests, and the button says at once that it was felt.

import { app } from "./app.js";

const PALM_MM = 28; // a thumb laid flat is under 25
const BOUNCE_MS = 90; // the same button again so soon is one touch by a trembling hand
const DOUBLE_MS = 450;
const DOUBLE_MM = 12;
const FELT_MS = 180;
const KNOWN_MS = 1000; // a touch's click is an event of its own, and on a busy machine comes well after its pointerup

const down = new Map();
let last = { at: -Infinity, x: 0, y: 0, button: null, page: "" };

const millimetre = () => Number.parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--mm")) || 6;
const pageOf = () => `${document.body.dataset.page}|${document.body.dataset.panel}|${document.body.dataset.sheet}`;

function pressed(event) {
  const palm = Math.max(event.width, event.height) > PALM_MM * millimetre();
  const button = event.target.closest("button");
  down.set(event.pointerId, { counts: event.isPrimary && !palm, page: pageOf(), button, touches: event.pointerType === "touch" });
  if (!down.get(event.pointerId).counts) return;
  if (!button || button.disabled) return;
  button.dataset.felt = "";
  setTimeout(() => delete button.dataset.felt, FELT_MS);
}

function released(event) {
  // The click follows its pointerup: what was known of the finger is needed until then.
  const finger = down.get(event.pointerId);
  if (event.type === "pointerup" && finger?.rests) pressRested(finger, document.elementFromPoint(event.clientX, event.clientY));
  setTimeout(() => { if (down.get(event.pointerId) === finger) down.delete(event.pointerId); }, KNOWN_MS);
}

// A finger that rests for half a second asks a browser for its menu, which there is none of here, and then presses
// nothing when it lifts. Who is slow or unsure means the button all the same.
function rests(event) {
  event.preventDefault();
  for (const finger of down.values()) finger.rests = finger.touches && finger.counts;
}

function pressRested(finger, under) {
  const { button } = finger;
  if (!button || button.disabled || !button.contains(under)) return;
  button.click();
  finger.counts = false; // a click of the browser's own, should one follow, is the same touch
}

function isMistake(event) {
  const finger = down.get(event.pointerId);
  if (finger && !finger.counts) return true;
  if (event.pointerType !== "touch") return false;
  const since = event.timeStamp - last.at;
  const near = Math.hypot(event.clientX - last.x, event.clientY - last.y) < DOUBLE_MM * millimetre();
  const button = event.target.closest("button");
  // The second touch of two is not for what has just come up under the finger.
  const isNew = pageOf() !== last.page || (finger !== undefined && finger.page !== last.page);
  if (since < DOUBLE_MS && near && isNew) return true;
  return since < BOUNCE_MS && button !== null && button === last.button;
}

function clicked(event) {
  if (isMistake(event)) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  last = { at: event.timeStamp, x: event.clientX, y: event.clientY, button: event.target.closest("button"), page: pageOf() };
}

export function watchFingers() {
  addEventListener("pointerdown", pressed, { capture: true });
  for (const kind of ["pointerup", "pointercancel"]) addEventListener(kind, released, { capture: true });
  addEventListener("click", clicked, { capture: true });
  addEventListener("contextmenu", rests);
  for (const kind of ["dragstart", "selectstart"]) addEventListener(kind, (event) => event.preventDefault());
  addEventListener("wheel", (event) => { if (event.ctrlKey) event.preventDefault(); }, { passive: false });
  addEventListener("pointerdown", () => app.felt(), { capture: true, passive: true });
}
