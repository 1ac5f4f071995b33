// Tells the agent which parties' pictures stand still on this page, whenever these are others. Whether they ought to
// move only the agent knows. A party of whom there has been no picture yet, or whom nobody sees, stands not still.

const EVERY_MS = 1000;

/** Of the frames counted by party, a second ago and now: whose picture stands still. Pure. */
export function standingStill(before, now) {
  return [...now].filter(([peer, frames]) => frames > 0 && frames === before.get(peer)).map(([peer]) => peer);
}

export function reportStalled(media) {
  let before = new Map();
  let told = "[]";
  setInterval(async () => {
    const now = new Map();
    for (const [name, video] of media.videos) {
      if (!name.startsWith("peer/") || !media.connections.get(name)?.connected || !video.checkVisibility()) continue;
      now.set(name.slice("peer/".length), video.getVideoPlaybackQuality().totalVideoFrames);
    }
    const body = JSON.stringify(document.hidden ? [] : standingStill(before, now));
    before = now;
    if (body === told) return;
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch("/api/stalled", { method: "POST", headers, body }).catch(() => null);
    if (answer?.ok) told = body; // away for a moment: told again in a second
  }, EVERY_MS);
}
