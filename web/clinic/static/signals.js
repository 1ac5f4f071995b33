// What the page says to the region: in order for each of those it is meant for, and never twice at once.

import { post } from "./api.js";
import { base, instance, problem, texts } from "./page.js";

const SIGNAL_WITHIN_MS = 4000;

const queues = new Map();

/**
 * Send one message; resolves to the response, or null. One after the other: nobody must get a candidate before
 * the answer it belongs to. `isStale` is asked when its turn comes, since what waited behind a dead line must
 * not hold up what is said of the newest offer.
 */
export function send(message, isStale = () => false) {
  const whom = message.to ?? (message.share === true ? "share" : "unit");
  const now = () => (isStale(message) ? null : post(`${base}/signal`, { instance, message }, SIGNAL_WITHIN_MS));
  const turn = (queues.get(whom) ?? Promise.resolve()).then(now).catch(() => null);
  queues.set(whom, turn);
  return turn;
}

/** Why an answer is no yes, in words for whoever asked. */
export async function refusal(answer) {
  const told = await answer?.json().catch(() => null);
  return told?.reason ?? texts.not_done;
}

/** Send what a person has asked for; a second click does nothing meanwhile. Whether it was done. */
export async function ask(message, button = null) {
  return once(button, async () => {
    const answer = await send(message);
    problem(answer?.ok ? "" : await refusal(answer));
    return Boolean(answer?.ok);
  });
}

/** Do it with the button out of reach meanwhile. */
export async function once(button, action) {
  if (button?.disabled) return false;
  if (button) button.disabled = true;
  try {
    return await action();
  } finally {
    if (button) button.disabled = false;
  }
}
