// A sheet over the page, above the footer: the page stays as it is beneath, its sound goes on, and Help is in reach.

import { accessSheet } from "./access.js";
import { app } from "./app.js";
import { button } from "./dom.js";
import { languageSheet } from "./language.js";
import { t } from "./texts.js";

const SHEETS = { language: languageSheet, access: accessSheet };
const element = document.getElementById("sheet");
const foot = document.getElementById("foot");
let close = null;
let shown = "";

export function showSheet() {
  const name = app.local.sheet;
  const key = name && `${name}|${app.language}|${JSON.stringify(app.local.access)}|${app.screen?.speech}`;
  if (key === shown) return;
  const same = name === shown.split("|")[0];
  const atHeading = document.activeElement?.closest("#sheet h1");
  shown = key;
  element.hidden = !name;
  document.body.dataset.sheet = name;
  close?.remove();
  if (name) {
    close = button({ label: t(name === "access" ? "access.done" : "back"), look: "close", data: { action: "close" },
      press: () => app.set({ sheet: "" }) });
    element.replaceChildren(...SHEETS[name]());
    element.querySelector("h1").id = "sheet-title";
    foot.append(close);
  } else {
    element.replaceChildren();
  }
  if (name && (!same || atHeading)) element.querySelector("h1").focus({ preventScroll: true });
}
