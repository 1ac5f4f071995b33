// Lines of text to everyone. They live on the pages only, and go with them.

import { announce, byId, fill, inTitle, make, newId, problem, say, texts } from "./page.js";

const MOST_CHARS = 500;
const KEPT = 200;

let seen = new Set();
let unread = 0;

const isOpen = () => byId("chat").open && document.visibilityState === "visible";

/** `send(message)` says it to all pages and to the room; false when it reached nobody. */
export function startChat(send) {
  byId("chat-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = byId("chat-text").value.trim().slice(0, MOST_CHARS);
    if (!text) return;
    const message = { type: "chat", id: newId(6), text };
    const missed = !send(message);
    if (missed || byId("media-problem").textContent === texts.not_done) problem(missed ? texts.not_done : "");
    if (missed) return;
    byId("chat-text").value = "";
    add(texts.you, message, true);
  });
  byId("chat").addEventListener("toggle", () => isOpen() && read());
  document.addEventListener("visibilitychange", () => isOpen() && read());
}

/** A line that someone else has written; one that came twice is shown once. */
export function chatLine(who, { id, text }) {
  if (typeof text !== "string" || !text.trim() || typeof id !== "string" || seen.has(id)) return;
  seen.add(id);
  if (seen.size > KEPT) seen = new Set([...seen].slice(-KEPT / 2));
  add(who, { text: text.slice(0, MOST_CHARS) }, false);
  announce(fill(texts.chat_said, { who, text: text.slice(0, MOST_CHARS) }));
  if (isOpen()) return;
  unread += 1;
  mark();
}

function add(who, { text }, mine) {
  const list = byId("chat-list");
  list.append(make("li", { className: mine ? "mine" : "" }, make("strong", { textContent: who }), make("p", { textContent: text })));
  while (list.children.length > KEPT) list.firstElementChild.remove();
  list.scrollTop = list.scrollHeight;
  byId("chat-none").hidden = true;
}

function read() {
  unread = 0;
  mark();
  byId("chat-list").scrollTop = byId("chat-list").scrollHeight;
}

function mark() {
  say(byId("chat-unread"), unread ? fill(texts.unread, { count: unread }) : "");
  inTitle("unread", unread ? texts.unread_title : "");
}
