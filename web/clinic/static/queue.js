// The queues stay true by themselves, and say when another room has come to wait.

import { signedOut } from "./api.js";
import { listen } from "./feed.js";

const GATHER_MS = 150; // several changes at once are one request
const REFRESH_MS = 30000; // "4 min" grows without any change at the region

const queues = document.getElementById("queues");
const line = document.getElementById("line");
const announce = document.getElementById("announce");
const title = document.title;
let known = null;
let timer = 0;
let drawn = 0; // when what is shown was asked for

function tell() {
  const now = [...queues.querySelectorAll("[data-entry]")].map((row) => row.dataset.entry);
  document.title = now.length ? `(${now.length}) ${title}` : title;
  const come = known === null ? 0 : now.filter((entry) => !known.includes(entry)).length;
  if (come) announce.textContent = `${queues.dataset.said} ${now.length}`;
  known = now;
}

async function refresh() {
  const asked = performance.now();
  const answer = await fetch("/api/queue").catch(() => null);
  if (answer?.status === 401) return signedOut();
  if (!answer?.ok) return;
  const html = await answer.text(); // our own template's, where every value is escaped
  if (asked < drawn) return; // a newer one was quicker
  drawn = asked;
  const focused = document.activeElement?.closest?.("[data-entry]")?.dataset.entry;
  queues.innerHTML = html;
  if (focused) queues.querySelector(`[data-entry="${CSS.escape(focused)}"] button`)?.focus();
  tell();
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(refresh, GATHER_MS);
}

function onLine(up) {
  line.hidden = up;
  if (up) soon();
}

tell();
listen("/api/feed", soon, onLine);
setInterval(refresh, REFRESH_MS);
