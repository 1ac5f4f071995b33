// The room confirms the end a moment after the click: show the page anew when it has.

import { listen } from "./feed.js";

let heard = false;
const stop = listen("/api/feed", () => {
  if (heard) return;
  heard = true;
  stop();
  setTimeout(() => location.reload(), 500);
}, () => {});
