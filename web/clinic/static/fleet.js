// Parts of IT's pages stay true by themselves: each element with `data-live` is asked for again every few seconds
// and drawn anew where it has changed, with focus, open lists and scrolling as they were.

import { signedOut } from "./api.js";

const ANSWER_WITHIN_MS = 15000;
const SLOWER = 4; // times, while nobody looks at the page
const REST = 10; // times what an answer took: a region that is slow is not asked more
const MISSED_BEFORE_SAID = 2;

const focusedKey = (part) =>
  part.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;

function draw(part, html) {
  const key = focusedKey(part);
  const scrolled = [scrollX, scrollY];
  part.innerHTML = html; // our own template's, where every value is escaped
  if (key) part.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
  scrollTo(...scrolled);
}

function keep(part) {
  const line = document.getElementById(part.dataset.line ?? "");
  let etag = "";
  let missed = 0;
  let timer = 0;
  let tookMs = 0;

  const later = () => {
    clearTimeout(timer);
    const everyMs = Math.max(Number(part.dataset.everyS) * 1000, tookMs * REST);
    timer = setTimeout(look, document.hidden ? everyMs * SLOWER : everyMs);
  };

  const told = (up) => {
    missed = up ? 0 : missed + 1;
    part.dataset.lineState = missed < MISSED_BEFORE_SAID ? "up" : "down";
    if (line) line.hidden = missed < MISSED_BEFORE_SAID;
  };

  // Someone chooses, presses or marks text here: it is not taken from under their hands.
  const busy = () =>
    part.matches(":active") || (!getSelection().isCollapsed && part.contains(getSelection().anchorNode));

  async function look() {
    const headers = etag ? { "If-None-Match": etag } : {};
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    const began = performance.now();
    const answer = await fetch(part.dataset.live, { headers, signal, redirect: "manual" }).catch(() => null);
    tookMs = performance.now() - began;
    if (answer?.status === 401) return signedOut();
    told(answer?.status === 304 || answer?.ok === true);
    if (answer?.ok && !busy()) {
      const html = await answer.text().catch(() => null);
      if (html !== null) {
        etag = answer.headers.get("ETag") ?? "";
        draw(part, html);
        decided(part);
      }
    }
    later();
  }

  addEventListener("online", look);
  document.addEventListener("visibilitychange", () => document.hidden || look());
  later();
}

// The form on the page is for a state that has passed, as when a colleague was quicker: draw the whole page anew,
// unless the form is on its way: its answer is the next page then.
let sent = false;
addEventListener("submit", (event) => (sent ||= !event.defaultPrevented));
addEventListener("pageshow", () => (sent = false));

function decided(part) {
  const from = part.dataset.reloadFrom;
  const now = part.querySelector("[data-state]")?.dataset.state;
  if (from && now && now !== from && !sent) location.replace(part.dataset.reloadTo);
}

for (const part of document.querySelectorAll("[data-live]")) keep(part);
