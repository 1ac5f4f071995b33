// Requests to our own server: with the page's token, and JSON both ways.

const token = document.querySelector('meta[name="csrf-token"]').content;

/** Someone signed out here or in another tab, or was away too long. */
export function signedOut() {
  location.assign("/sign-in");
}

/** POST; resolves to the response. A sign-in that has ended leads to the sign-in page. */
export async function post(path, body = {}) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": token },
    body: JSON.stringify(body),
  });
  if (response.status === 401) signedOut();
  return response;
}
