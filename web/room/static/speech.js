// The unit says aloud what the page shows, for who does not see it. Off until asked for. Spoken: the page when it
// is drawn, the button that the keyboard has moved to, and what a screen reader would announce. Never spoken: the
// digits that are written (only how many), and on staff's keypad not the keys either, unless in headphones.

import { app } from "./app.js";
import { VOLUMES } from "./media.js";
import { t } from "./texts.js";

const LONGEST = { page: 400, focus: 120, announcement: 200 };
const LONGEST_IN_CALL = 120;
const FOCUS_SETTLES_MS = 150;
const OVER_WITHIN_MS = 60_000; // one that never ends must not keep all that come after it waiting
const LIVE = '[role="alert"], [role="alertdialog"], [role="status"], [aria-live]';
const HAS_WORDS = /[\p{L}\p{N}]/u;
const ISOLATES = /[\u2066-\u2069]/g;
const audio = new Audio();
let queue = [];
let current = null;
let pageSaid = "";
let settling = null;

const isOn = () => app.local.access.speech;

export function toggleSpeech() {
  const on = !isOn();
  if (!on) silence();
  app.set({ access: { ...app.local.access, speech: on } });
  const can = app.screen.speech.includes(app.language);
  if (!can) app.announce(t("access.speech_none"));
  else if (on) { say(t("access.speech_began"), app.language, "announcement"); sayPage(); }
}

export function silence() {
  queue = [];
  stopCurrent();
}

// The heading and what stands below it. In a call the others are speaking: nothing is said but what is new.
export function sayPage() {
  if (!isOn()) return;
  const root = ["cover", "sheet", "main"].map((id) => document.getElementById(id)).find((part) => !part.hidden);
  pageSaid = inCall() && root.id === "main" ? "" : wordsOf(root);
  say(pageSaid, app.language, "page");
}

export function listenToPage() {
  addEventListener("focusin", ({ target }) => {
    if (!isOn() || !target.matches("button:focus-visible") || isSecretKey(target)) return;
    clearTimeout(settling);
    settling = setTimeout(() => {
      if (document.activeElement === target) say(nameOf(target), target.lang || app.language, "focus");
    }, FOCUS_SETTLES_MS);
  });
  new MutationObserver((mutations) => {
    if (!isOn()) return;
    const regions = new Set(mutations.map(({ target }) => (target.closest ? target : target.parentElement)?.closest(LIVE)));
    for (const region of regions) if (region && region.ariaLive !== "off" && region.isConnected) announce(region);
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}

function announce(region) {
  const words = wordsOf(region);
  // Of a region that changes faster than it can be read, like the count of digits, only the newest is worth saying.
  queue = queue.filter((item) => item.region !== region);
  if (words && !pageSaid.includes(words)) say(words, app.language, "announcement", region);
}

const inCall = () => document.body.dataset.view === "call";

function isSecretKey(target) {
  return Boolean(target.closest("[data-secret]")) && app.screen?.output !== "headphones";
}

function nameOf(element) {
  const name = (element.ariaLabel ?? element.textContent).trim();
  return element.ariaPressed === "true" ? `${name}. ${t("speech.chosen")}` : name;
}

function wordsOf(root) {
  const parts = root.matches("p") ? [root] : root.querySelectorAll("h1, p, li, figcaption");
  const said = [...parts].filter((part) => part.checkVisibility({ visibilityProperty: true })
    && !part.closest('button, [aria-hidden="true"]') && !part.querySelector("p, li"))
    .map((part) => (part.role === "img" ? part.ariaLabel : part.textContent).replace(/\s+/g, " ").trim());
  const words = said.length ? said : [root.matches("p, #announce") ? root.textContent : ""];
  return [...new Set(words)].filter(Boolean).map((text) => (/[.!?؟…:]$/.test(text) ? text : `${text}.`)).join(" ");
}

// A page or a button is said instead of what was said before; an announcement is said to its end.
function say(text, language, kind, region = null) {
  const longest = inCall() ? Math.min(LONGEST[kind], LONGEST_IN_CALL) : LONGEST[kind];
  const words = text.replace(ISOLATES, "").slice(0, longest).trim();
  if (!HAS_WORDS.test(words) || !isOn() || !app.screen?.speech.includes(language)) return;
  if (kind !== "announcement") {
    queue = queue.filter((item) => item.kind === "announcement");
    if (current && current.kind !== "announcement") stopCurrent();
  }
  queue.push({ words, language, kind, region });
  next();
}

function stopCurrent() {
  const stopped = current;
  current = null;
  stopped?.abort.abort();
  audio.pause();
}

async function next() {
  if (current || !queue.length) return;
  const item = queue.shift();
  item.abort = new AbortController();
  current = item;
  try {
    await play(item);
  } catch {
    // Not to be had just now: what it says is on the screen, and the next is tried as usual.
  }
  if (current === item) current = null;
  next();
}

async function play({ words, language, abort }) {
  const signal = AbortSignal.any([abort.signal, AbortSignal.timeout(OVER_WITHIN_MS)]);
  const response = await fetch("/api/speech", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ language, text: words }),
    signal,
  });
  if (!response.ok) return;
  const address = URL.createObjectURL(await response.blob());
  try {
    if (signal.aborted) return;
    audio.volume = VOLUMES[app.media?.volume ?? VOLUMES.length - 1];
    const over = new Promise((done) => {
      audio.onended = done;
      audio.onerror = done;
      signal.addEventListener("abort", done);
    });
    audio.src = address;
    await audio.play();
    await over;
  } finally {
    URL.revokeObjectURL(address);
  }
}
