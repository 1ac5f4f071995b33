// Server-sent events that come back. EventSource itself gives up on any answer but 200, as when the server
// restarts, and waits for ever on a line that has died without a word.

import { signedOut } from "./api.js";

const LOOK_MS = 500;
// A list can wait; a call cannot. `quietMs`: the server says something more often than this.
const PATIENT = { firstRetryMs: 1000, lastRetryMs: 10000, openMs: 15000, quietMs: 40000 };
export const IN_CALL = { firstRetryMs: 300, lastRetryMs: 2000, openMs: 2500, quietMs: 6000 };
const DOUBTED_QUIET_MS = 2500; // the server's pings to a meeting come every 2 s

let feeds = 0;

/** Whether some script of this page has a feed. */
export const listening = () => feeds > 0;

const tellPage = (name, detail) => dispatchEvent(new CustomEvent(`halsorum:${name}`, { detail }));

/**
 * Listen to `url`; every message is also told to the page as the event `halsorum:message`, the line as `halsorum:line`. `onMessage` gets each JSON object, `onLine` true or false as the line comes and goes.
 * Returns `stop()`, and `doubt()` for when there is reason to think that the line is dead.
 */
export function listen(url, onMessage, onLine, pace = PATIENT) {
  let source = null;
  let retryMs = pace.firstRetryMs;
  let timer = 0;
  let heardAt = 0;
  let opened = false;
  let stopped = false;

  feeds += 1;
  const heard = () => { heardAt = performance.now(); };

  const open = () => {
    clearTimeout(timer);
    source?.close();
    opened = false;
    heard();
    const mine = source = new EventSource(url);
    mine.onopen = () => {
      opened = true;
      retryMs = pace.firstRetryMs;
      heard();
      onLine(true);
      tellPage("line", { up: true });
    };
    mine.onmessage = (event) => {
      heard();
      const message = JSON.parse(event.data);
      onMessage(message);
      tellPage("message", message);
    };
    mine.addEventListener("ping", heard);
    mine.onerror = () => mine === source && failed(mine.readyState === EventSource.CLOSED);
  };

  const failed = (refused) => {
    if (stopped) return;
    source.close();
    source = null;
    onLine(false);
    timer = setTimeout(refused ? askWhy : open, retryMs);
    retryMs = Math.min(retryMs * 2, pace.lastRetryMs);
  };

  // EventSource does not tell which status it met: ask with a request that does.
  const askWhy = async () => {
    const answer = await fetch("/api/present", { cache: "no-store", signal: AbortSignal.timeout(pace.openMs) })
      .catch(() => null);
    if (stopped) return;
    if (answer?.status === 401) signedOut();
    else open();
  };

  const look = () => {
    if (source && performance.now() - heardAt > (opened ? pace.quietMs : pace.openMs)) failed(false);
  };
  const now = () => { if (!stopped && !source) open(); };
  const watch = setInterval(look, LOOK_MS);

  addEventListener("online", now);
  // The browser drops the line when the page goes: that is not a fault to show.
  addEventListener("pagehide", () => { stopped = true; });
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  open();
  return {
    stop() {
      if (!stopped) feeds -= 1;
      stopped = true;
      clearTimeout(timer);
      clearInterval(watch);
      source?.close();
    },
    doubt() {
      if (source && opened && performance.now() - heardAt > DOUBTED_QUIET_MS) failed(false);
    },
  };
}
