// Which booked rooms are not ready: the list stays true by itself.

import { signedOut } from "./api.js";
import { listen } from "./feed.js";

const GATHER_MS = 150; // several changes at once are one request
const REFRESH_MS = 10000; // what the region is told of a room's state changes no session, and comes in no feed

const rooms = document.getElementById("not-ready");
const line = document.getElementById("line");
let timer = 0;
let drawn = 0; // when what is shown was asked for

async function refresh() {
  const asked = performance.now();
  const answer = await fetch("/api/readiness").catch(() => null);
  if (answer?.status === 401) return signedOut();
  if (!answer?.ok || rooms.contains(document.activeElement)) return; // nobody's button moves under the finger
  const text = await answer.text();
  if (asked < drawn) return; // a newer one was quicker
  drawn = asked;
  if (text !== rooms.dataset.drawn) rooms.innerHTML = text; // our own template's, where every value is escaped
  rooms.dataset.drawn = text;
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(refresh, GATHER_MS);
}

if (document.body.dataset.feed !== "none") listen("/api/feed", soon, (up) => {
  line.hidden = up;
  if (up) soon();
});
setInterval(refresh, REFRESH_MS);
