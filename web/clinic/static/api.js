// Requests to our own server: with the page's token, and JSON both ways.

const ANSWER_WITHIN_MS = 8000; // a line that has died does not say so

const token = document.querySelector('meta[name="csrf-token"]').content;

/** Someone signed out here or in another tab, or was away too long. */
export function signedOut() {
  location.assign(document.querySelector('meta[name="signed-out"]').content);
}

/** POST; resolves to the response, or rejects when none comes within `withinMs`. A sign-in that has ended leads to the sign-in page. */
export async function post(path, body = {}, withinMs = ANSWER_WITHIN_MS) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": token },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(withinMs),
  });
  if (response.status === 401) signedOut();
  return response;
}
