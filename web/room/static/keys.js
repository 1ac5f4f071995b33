// Keys that work on every page, and the long press that does the same for who finds no key.

import { app } from "./app.js";
import { toggleSpeech } from "./speech.js";

const HOLD_MS = 3000;
const CORNER_MM = 30;
const STILL_MM = 8;
// What Escape does, the uppermost first: the answer that changes least.
const WAY_BACK = ['#panel [data-action="stay"]', '#panel [data-touch="still_here"]', '#panel [data-touch="consent"][data-on="false"]', '#cover [data-action="help-read"]',
  '#foot [data-action="close"]', '#foot [data-action="back"]'];

export function listenToKeys() {
  addEventListener("keydown", (event) => {
    if (event.repeat || event.ctrlKey || event.altKey || event.metaKey || event.target.matches("input, textarea")) return;
    if (event.key === "Escape") wayBack()?.click();
    if (event.key.toLowerCase() === "s" && app.screen) toggleSpeech();
  });
  listenToCorner();
}

function wayBack() {
  return WAY_BACK.map((selector) => document.querySelector(selector))
    .find((button) => button?.checkVisibility({ visibilityProperty: true }));
}

// A blind visitor finds the corner of the glass by hand: held for three seconds, it begins to speak.
function listenToCorner() {
  const mm = Number.parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--mm"));
  let began = null;
  let timer = null;
  let swallow = false;
  const stop = () => { clearTimeout(timer); began = null; };
  addEventListener("pointerdown", ({ isPrimary, clientX, clientY }) => {
    stop();
    swallow = false;
    if (!isPrimary || Math.max(clientX, clientY) > CORNER_MM * mm) return;
    began = [clientX, clientY];
    timer = setTimeout(() => { began = null; swallow = true; toggleSpeech(); }, HOLD_MS);
  }, { capture: true });
  addEventListener("pointermove", ({ clientX, clientY }) => {
    if (began && Math.hypot(clientX - began[0], clientY - began[1]) > STILL_MM * mm) stop();
  }, { capture: true, passive: true });
  for (const kind of ["pointerup", "pointercancel"]) addEventListener(kind, stop, { capture: true });
  // The finger that was held to begin speech presses nothing when it lifts.
  addEventListener("click", (event) => {
    if (swallow) event.stopPropagation();
    swallow = false;
  }, { capture: true });
}
