// Tells the agent once a second that this page lives, so that a browser that hangs is started again.
// It is said only after a frame that had something new in it (the page's process and the one that draws) and an
// answer of the browser's own process, which takes the touches: whichever of them hangs, the page falls silent.
// While the agent does not answer, the kiosk's guard is told instead (firmware/kiosk/lifeline.py): it then leaves this
// page in peace, and takes the browser's own error page away.

const EVERY_MS = 1000;
const AGENT_WITHIN_MS = 900;
const KIOSK = `http://127.0.0.2:${location.port}/alive`;
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
  try {
    const signal = AbortSignal.timeout(AGENT_WITHIN_MS);
    return (await fetch("/api/painted", { method: "POST", body, signal })).ok;
  } catch {
    await fetch(KIOSK, { method: "POST", mode: "no-cors", signal: AbortSignal.timeout(AGENT_WITHIN_MS) });
    return false;
  }
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
      // Nobody is there, not even a kiosk: the next beat tells.
    } finally {
      isBeating = false;
    }
  };
  setInterval(next, EVERY_MS);
  next();
}
