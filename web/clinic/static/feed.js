// Server-sent events that come back. EventSource itself gives up on any answer but 200, as when the server restarts.

import { signedOut } from "./api.js";

const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 10000;

/**
 * Listen to `url`; `onMessage` gets each JSON object, `onLine` true or false as the line comes and goes.
 * Returns a function that stops.
 */
export function listen(url, onMessage, onLine) {
  let source = null;
  let retryMs = FIRST_RETRY_MS;
  let timer = 0;
  let stopped = false;

  const open = () => {
    source = new EventSource(url);
    source.onopen = () => {
      retryMs = FIRST_RETRY_MS;
      onLine(true);
    };
    source.onmessage = (event) => onMessage(JSON.parse(event.data));
    source.onerror = () => {
      if (stopped) return;
      onLine(false);
      if (source.readyState !== EventSource.CLOSED) return;
      timer = setTimeout(reopen, retryMs);
      retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
    };
  };

  // EventSource does not tell which status it met: ask with a request that does.
  const reopen = async () => {
    const answer = await fetch("/api/today", { cache: "no-store" }).catch(() => null);
    if (stopped) return;
    if (answer?.status === 401) signedOut();
    else open();
  };

  // The browser drops the line when the page goes: that is not a fault to show.
  addEventListener("pagehide", () => { stopped = true; });
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  open();
  return () => {
    stopped = true;
    clearTimeout(timer);
    source.close();
  };
}
