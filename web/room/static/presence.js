// Whether someone is still at the screen: 90 s without a touch, then 30 s of warning. Never while waiting or
// in a call (WCAG 2.2, success criterion 2.2.1).

import { app } from "./app.js";

const QUIET_MS = 90_000;
const WARNING_MS = 30_000;
const PAGES = ["checkin-choose", "checkin-code", "checkin-scan"];
let lastTouch = performance.now();

export function felt() {
  lastTouch = performance.now();
}

export function isQuiet() {
  return performance.now() - lastTouch >= QUIET_MS;
}

export function watchPresence(page) {
  const quiet = performance.now() - lastTouch;
  const mayEnd = page.startsWith("staff") || !app.screen?.session; // a language is chosen while waiting, too
  const isAsked = (PAGES.includes(page) || page.startsWith("staff")) && mayEnd;
  // Checked in by staff elsewhere, or a fault: the question would lie over a page where nothing times out.
  if (!isAsked && app.local.ask === "still") app.set({ ask: null });
  if (isAsked) {
    // What a patient has chosen stays with them when staff have gone from the screen.
    if (quiet >= QUIET_MS + WARNING_MS) app.screen?.session ? app.home() : app.reset();
    else if (quiet >= QUIET_MS && app.local.ask !== "still") app.set({ ask: "still" });
  } else if (["idle", "fault"].includes(page) && !(app.isAsTheRoomHasIt && !app.local.sheet) && quiet >= QUIET_MS) {
    app.reset();
  }
}

export function warningSecondsLeft() {
  return Math.max(0, Math.ceil((lastTouch + QUIET_MS + WARNING_MS - performance.now()) / 1000));
}

export async function stillHere(pressed) {
  felt();
  app.set({ ask: null });
  await app.touch("still_here", {}, pressed);
}
