// The end of a meeting: the summary with the names that this tab has heard, to be copied once.

import { listen } from "./feed.js";
import { forgetSummary, keptSummary, partyLines } from "./summary.js";

const RELOAD_AFTER_MS = 500; // the room confirms the end a moment after the click

const section = document.getElementById("ended");
const summary = document.getElementById("summary");
const copied = document.getElementById("copied");

const kept = keptSummary();
if (kept) {
  const { before, after, words } = summary.dataset;
  summary.value = [before, ...partyLines(kept, JSON.parse(words)), after].filter(Boolean).join("\n");
}

summary.rows = summary.value.split("\n").length + 1;

document.getElementById("copy").addEventListener("click", async () => {
  const done = await copy();
  copied.textContent = done ? copied.dataset.done : copied.dataset.failed;
  if (done) forgetSummary();
});

async function copy() {
  try {
    await navigator.clipboard.writeText(summary.value);
    return true;
  } catch {
    // No clipboard without TLS, or it was denied: the old way, which leaves the text chosen if it fails too.
    summary.focus();
    summary.select();
    return document.execCommand("copy");
  }
}

// Whoever leaves by a link or a button takes no names along; a reload of this page keeps them.
for (const event of ["click", "submit"]) {
  document.addEventListener(event, ({ target }) => {
    if (event === "submit" || target.closest?.("a[href]")) forgetSummary();
  });
}

// What has changed before the feed was there, or while it was away, comes in no message.
async function hasChanged() {
  const answer = await fetch(location.href, { cache: "no-store" }).catch(() => null);
  if (!answer?.ok) return false;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const now = page.getElementById("ended")?.dataset.state;
  return Boolean(now) && now !== section.dataset.state;
}

if (section.dataset.open) {
  let heard = false;
  const again = () => {
    if (heard) return;
    heard = true;
    feed.stop();
    setTimeout(() => location.reload(), RELOAD_AFTER_MS);
  };
  const feed = listen("/api/feed", again, async (up) => { if (up && await hasChanged()) again(); });
}
