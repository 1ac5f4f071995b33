// What every part of the meeting page uses: its elements, its texts, and small ways to draw.

import { chime } from "./chime.js";

export const byId = (id) => document.getElementById(id);
export const main = byId("content");
export const texts = JSON.parse(main.dataset.texts);
export const base = main.dataset.base;
// Not randomUUID: that one exists only where the page is secure.
export const newId = (bytes = 12) =>
  [...crypto.getRandomValues(new Uint8Array(bytes))].map((n) => n.toString(16).padStart(2, "0")).join("");
/** Of this page load. */
export const instance = newId();

/** Put words in an element, and hide it when there are none. Unchanged words are not read out again. */
export function say(element, words) {
  if (element.textContent !== words) element.textContent = words;
  element.hidden = !words;
}

/** What is wrong, or has just been refused; empty when nothing is. */
export function problem(words) {
  say(byId("media-problem"), words);
}

/** Read out to those who do not see the page. */
export function announce(words, sound = null) {
  byId("announce").textContent = words;
  if (sound) chime(sound);
}

/** A text with its `{name}` filled in. */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** An element with attributes (`onclick` and its like are listeners, `data` is its dataset) and children. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

/** Draw a list anew; what had the focus by its `data-key` has it still. */
export function redraw(list, items) {
  const key = list.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  const open = new Set([...list.querySelectorAll("details[open]")].map((one) => one.dataset.key));
  list.replaceChildren(...items);
  for (const one of list.querySelectorAll("details[data-key]")) one.open = open.has(one.dataset.key);
  if (key) list.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
}

/** Capital first, as a line begins. */
export const begin = (words) => words.charAt(0).toUpperCase() + words.slice(1);

/** What stands before the page's title, most urgent first. */
const said = { knocks: "", waiting: "", unread: "" };
const title = document.title;
export function inTitle(which, words) {
  said[which] = words;
  const first = Object.values(said).find(Boolean);
  document.title = first ? `${first} · ${title}` : title;
}
