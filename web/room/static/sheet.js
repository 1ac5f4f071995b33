// A sheet over the page, above the footer: the page stays as it is beneath, its sound goes on, and Help is in reach.

import { accessSheet } from "./access.js";
import { app } from "./app.js";
import { languageSheet } from "./language.js";

const SHEETS = { language: languageSheet, access: accessSheet };
const element = document.getElementById("sheet");
let shown = "";

// True when another sheet than before is open now, or none is any more.
export function showSheet() {
  const name = app.local.sheet;
  const key = name && `${name}|${app.language}|${JSON.stringify(app.local.access)}|${app.screen?.speech}`;
  if (key === shown) return false;
  const same = name === shown.split("|")[0];
  shown = key;
  element.hidden = !name;
  document.body.dataset.sheet = name;
  element.replaceChildren(...(name ? SHEETS[name]() : []));
  if (name && !same) element.querySelector("h1").focus({ preventScroll: true });
  return !same;
}
