// Pages that lie whole over another, which goes on beneath: help, so that a call is still heard, and the screen
// that has lost its contact, where no button would do anything.

import { app } from "./app.js";
import { button, h, heading } from "./dom.js";
import { t } from "./texts.js";

const element = document.getElementById("cover");
let shown = "";

// What is to be said of help, in the words of `data-panel`.
export function covers() {
  const { local, screen } = app;
  if (local.helpFailed) return "help-failed";
  const state = screen?.help_state ?? "none";
  if (state !== "none" && local.helpRead !== state) return `help-${state}`;
  return screen?.locating ? "locate" : "";
}

// The cover shown now: `feed-lost`, `feed-shut`, one of `help-…`, `locate`, or none. A call goes on without the feed.
export function coverNow() {
  if (app.feed !== "open") return app.screen?.page === "call" ? "" : `feed-${app.feed}`;
  if (app.screen?.session?.question || app.local.ask === "still") return "";
  return covers();
}

// True while something covers the page.
export function showCover() {
  const kind = coverNow();
  const key = kind && `${kind}|${app.language}|${app.screen?.page}`;
  document.body.dataset.page = kind ? kind.split("-")[0] : document.body.dataset.view;
  if (key === shown) return Boolean(kind);
  const opened = !shown;
  shown = key;
  element.hidden = !kind;
  element.setAttribute("role", "alert");
  for (const part of ["head", "main", "pad", "foot", "sheet"]) document.getElementById(part).inert = Boolean(kind);
  element.replaceChildren(...(kind ? page(kind) : []));
  if (kind) element.querySelector("h1").focus({ preventScroll: true });
  else if (!opened) document.querySelector("#main h1")?.focus({ preventScroll: true });
  return Boolean(kind);
}

function page(kind) {
  const phone = app.screen?.phone ?? "";
  if (kind.startsWith("feed")) {
    return [h("div", { class: "notice" }, heading(kind === "feed-lost" ? t("feed.lost", { phone }) : t("feed.shut", { phone })))];
  }
  if (kind === "locate") return locate();
  const answered = kind === "help-answered";
  const inCall = app.screen.page === "call";
  const back = button({ label: inCall ? t("help.back_to_call") : t("help.close"), look: "main", data: { action: "help-read" },
    press: () => app.set({ helpRead: app.screen.help_state, helpFailed: false }) });
  const over = button({ label: t("help.over"), data: { touch: "help_over" }, press: helpOver });
  const words = [heading(said(kind, phone))];
  if (answered || kind === "help-sent") words.push(h("p", { class: "next", text: inCall ? t("help.call_goes_on") : t("help.stay") }));
  return [h("div", { class: "notice" }, ...words),
    h("div", { class: "cover-foot" }, kind === "help-failed" ? again() : over, back)];
}

// IT looks for this unit: to be seen across a room, and over with one touch.
function locate() {
  const found = button({ label: t("locate.found"), look: "main", data: { touch: "locate_found" },
    press: (it) => app.ask("locate_found", {}, it) });
  return [h("div", { class: "notice locate" }, h("div", { class: "mark", "aria-hidden": "true" }), heading(t("locate.title")),
    h("p", { class: "next", text: t("locate.more") })), h("div", { class: "cover-foot" }, found)];
}

function said(kind, phone) {
  if (kind === "help-sent") return t("help.sent");
  if (kind === "help-answered") return t("help.answered");
  return kind === "help-failed" ? t("help.failed", { phone }) : t("help.unanswered", { phone });
}

function again() {
  return button({ label: t("help.again"), iconName: "help", data: { touch: "help" }, press: (it) => app.help(it) });
}

async function helpOver(pressed) {
  const outcome = await app.ask("help_over", {}, pressed);
  if (outcome?.ok || outcome?.refusal) app.set({ helpRead: app.screen.help_state }); // else it rings on, and is still said
}
