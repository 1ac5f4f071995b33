// Tells the agent every five seconds how this page shows each party; without a call it asks and tells nothing.

import { QualityWatch } from "/shared/quality.js";

const EVERY_MS = 5000;

export function reportQuality(media) {
  const watches = new WeakMap();
  setInterval(async () => {
    const figures = {};
    for (const [name, connection] of media.connections) {
      if (!name.startsWith("peer/") || !connection.connected) continue;
      if (!watches.has(connection)) watches.set(connection, new QualityWatch());
      const reading = watches.get(connection).reading(await connection.pc.getStats(), performance.now());
      if (reading?.received) figures[name.slice("peer/".length)] = reading.received;
    }
    if (Object.keys(figures).length) send(figures);
  }, EVERY_MS);
}

function send(figures) {
  // Away for a moment: the next figures are as good, and the agent's own tell of the line meanwhile.
  fetch("/api/quality", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(figures),
  }).catch(() => {});
}
