// The day's list stays true by itself, and says when someone has arrived.

import { signedOut } from "./api.js";
import { ChimeButton } from "./chime_button.js";
import { listen } from "./feed.js";
import { forgetSummary } from "./summary.js";

const GATHER_MS = 150; // several changes at once are one request
const REFRESH_MS = 30000; // "4 min" grows, and buttons come when it is time, without any change at the region

const rows = document.getElementById("rows");
const line = document.getElementById("line");
const announce = document.getElementById("announce");
const title = document.title;
const chime = new ChimeButton(document.getElementById("sound"));
let known = null;
let timer = 0;
let drawn = 0; // when what is shown was asked for

const waiting = () =>
  [...rows.querySelectorAll('[data-state="waiting"]')].map((row) => row.dataset.ref);

function tell() {
  const now = waiting();
  document.title = now.length ? `(${now.length}) ${rows.dataset.waitingWords} · ${title}` : title;
  const arrived = known === null ? [] : now.filter((ref) => !known.includes(ref));
  if (arrived.length) {
    announce.textContent = `${rows.dataset.waitingSaid} ${arrived.join(", ")}`;
    rows.dataset.rang = chime.ring();
  }
  known = now;
}

async function refresh() {
  const asked = performance.now();
  const answer = await fetch(`/api/today?day=${rows.dataset.day}`).catch(() => null);
  if (answer?.status === 401) return signedOut();
  if (!answer?.ok) return;
  const html = await answer.text(); // our own template's, where every value is escaped
  if (asked < drawn) return; // a newer one was quicker
  drawn = asked;
  const focused = document.activeElement;
  const sid = focused?.closest?.("[data-sid]")?.dataset.sid;
  const action = focused?.dataset?.action ?? focused?.dataset?.claim;
  rows.innerHTML = html;
  if (sid && action) rows.querySelector(`[data-sid="${CSS.escape(sid)}"] [data-action]`)?.focus();
  tell();
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(refresh, GATHER_MS);
}

function onLine(up) {
  rows.dataset.line = up ? "up" : "down";
  line.hidden = up;
  if (up) soon();
}

forgetSummary(); // whoever is here has left the page of a meeting's end
tell();
listen("/api/feed", soon, onLine);
setInterval(refresh, REFRESH_MS);
