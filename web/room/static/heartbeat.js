// Tells the agent once a second that this page lives, so that a browser that hangs is started again.
// It is said only after a frame that had something new in it (the page's process and the one that draws) and an
// answer of the browser's own process, which takes the touches: whichever of them hangs, the page falls silent.

const EVERY_MS = 1000;
const speck = document.createElement("i");
let isBeating = false;

const painted = () => new Promise((done) => {
  if (document.hidden) { done(); return; } // nothing is painted then, and nothing is wrong
  speck.toggleAttribute("data-beat");
  requestAnimationFrame(() => requestAnimationFrame(done));
});

async function version() {
  const known = await navigator.userAgentData?.getHighEntropyValues(["fullVersionList"]);
  return known?.fullVersionList.find(({ brand }) => brand === "Chromium")?.version ?? "";
}

async function once(body) {
  await painted();
  await navigator.permissions.query({ name: "geolocation" });
  const answer = await fetch("/api/painted", { method: "POST", body });
  return answer.ok;
}

export async function beat() {
  speck.id = "beat";
  speck.setAttribute("aria-hidden", "true");
  document.body.append(speck);
  let body = await version().catch(() => "");
  const next = async () => {
    if (isBeating) return;
    isBeating = true;
    try {
      if (await once(body)) body = "";
    } catch {
      // The agent is away for a moment: the next beat tells.
    } finally {
      isBeating = false;
    }
  };
  setInterval(next, EVERY_MS);
  next();
}
