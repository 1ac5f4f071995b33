// The bar of calls for help stays true by itself; while one rings, the page sounds and its title says so.

import { Ringer } from "./ringer.js";
import { listen, listening } from "./feed.js";
import { signedOut } from "./api.js";

const GATHER_MS = 100;
const OWN_FEED_AFTER_MS = 5000; // a page with a feed of its own has opened it by then
const REFRESH_MS = 20000; // minutes grow, and an answer that is old goes
const TITLE_MS = 1000; // other scripts write the title too
const SAID_MS = 8000;

const bar = document.getElementById("help");
const calls = document.getElementById("help-calls");
const said = document.getElementById("help-said");
const prefix = `▲ ${bar.dataset.title} · `;
const ringer = new Ringer(document.getElementById("help-sound"));
let timer = 0;
let drawn = 0; // when what is shown was asked for

const rings = () => calls.querySelector('[data-rings="yes"]') !== null;

function show() {
  const ringing = rings();
  ringer.ring(ringing);
  const plain = document.title.replaceAll(prefix, "");
  const wanted = ringing ? prefix + plain : plain;
  if (document.title !== wanted) document.title = wanted;
}

async function refresh() {
  const asked = performance.now();
  const answer = await fetch("/api/help", { cache: "no-store" }).catch(() => null);
  if (answer?.status === 401) return signedOut();
  if (!answer?.ok) return;
  const html = await answer.text(); // our own template's, where every value is escaped
  if (asked < drawn) return; // a newer one was quicker
  drawn = asked;
  const focused = calls.contains(document.activeElement)
    ? document.activeElement.closest("[data-help]")?.dataset.help : null;
  // Untouched where nothing has changed: a screen reader would read it again.
  if (html.trim() !== calls.dataset.html) {
    calls.dataset.html = html.trim();
    calls.innerHTML = html;
    for (const back of calls.querySelectorAll('[name="back"]')) back.value = location.pathname;
    if (focused) calls.querySelector(`[data-help="${CSS.escape(focused)}"] button`)?.focus();
  }
  show();
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(refresh, GATHER_MS);
}

function say(words) {
  said.textContent = words;
  said.hidden = !words;
  if (words) setTimeout(() => say(""), SAID_MS);
}

calls.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const button = form.querySelector("button");
  button.disabled = true;
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form), redirect: "manual" })
    .catch(() => null);
  if (!answer || answer.status >= 500) say(bar.dataset.failed);
  else if (answer.status === 409) say(await answer.text());
  button.disabled = false;
  await refresh();
});

addEventListener("halsorum:message", ({ detail }) => detail.type === "help" && soon());
addEventListener("halsorum:line", ({ detail }) => detail.up && soon());
setTimeout(() => { if (!listening()) listen("/api/feed", () => {}, () => {}); }, OWN_FEED_AFTER_MS);
setInterval(refresh, REFRESH_MS);
setInterval(show, TITLE_MS);
show();
