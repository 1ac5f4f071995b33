// A sheet over the page, above the footer: the page stays as it is beneath, its sound goes on, and Help is in reach.

import { accessSheet } from "./access.js";
import { app } from "./app.js";
import { button } from "./dom.js";
import { languageSheet } from "./language.js";
import { staffButton } from "./pages/idle.js";
import { t } from "./texts.js";

// Where staff have no button of their own on the page: names and pictures keep their corner.
const WITH_STAFF = ["waiting", "call", "hold"];
const SHEETS = { language: languageSheet, access: accessSheet };
const element = document.getElementById("sheet");
const foot = document.getElementById("foot");
let own = []; // what the sheet has put into the footer
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
  for (const one of own.splice(0)) one.remove();
  if (name) {
    own.push(button({ label: t(name === "access" ? "access.done" : "back"), look: "close", data: { action: "close" },
      press: () => app.set({ sheet: "" }) }));
    if (name === "access" && WITH_STAFF.includes(document.body.dataset.view)) own.push(staffButton());
    element.replaceChildren(...SHEETS[name]());
    element.querySelector("h1").id = "sheet-title";
    foot.append(...own);
  } else {
    element.replaceChildren();
  }
  if (name && (!same || atHeading)) element.querySelector("h1").focus({ preventScroll: true });
}
