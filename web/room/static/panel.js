// The one box that may lie over a page, above the footer so that Help stays in reach: the most urgent thing.

import { app } from "./app.js";
import { button, h, setText } from "./dom.js";
import { stillHere, warningSecondsLeft } from "./presence.js";
import { t } from "./texts.js";

const element = document.getElementById("panel");
let shown = "";
let line = null;

export function urgent() {
  const { feed, local, screen } = app;
  if (feed !== "open") return `feed-${feed}`;
  if (local.ask === "still" || local.ask === "leave") return local.ask;
  if (local.helpFailed) return "help-failed";
  const state = screen?.help_state ?? "none";
  return state !== "none" && local.helpRead !== state ? `help-${state}` : "";
}

function build(kind) {
  const phone = { phone: app.screen?.phone ?? "" };
  const read = button({ label: t("help.close"), data: { action: "help-read" },
    press: () => app.set({ helpRead: app.screen.help_state, helpFailed: false }) });
  switch (kind) {
    case "feed-lost": return [t("feed.lost", phone)];
    case "feed-shut": return [t("feed.shut", phone)];
    case "help-sent": return [t("help.sent"), read];
    case "help-answered": return [t("help.answered"), read];
    case "help-unanswered": return [t("help.unanswered", phone), read];
    case "help-failed": return [t("help.failed", phone), read];
    case "still": return [t("still.question"),
      button({ label: t("still.yes"), look: "main", data: { touch: "still_here" }, press: stillHere })];
    default: return [t("leave.question"),
      button({ label: t("leave.no"), look: "main", data: { action: "stay" }, press: () => app.set({ ask: null }) }),
      button({ label: t("leave.yes"), look: "stop", iconName: "leave", data: { touch: "leave" }, press: leave })];
  }
}

async function leave(pressed) {
  const outcome = await app.touch("leave", {}, pressed);
  if (!outcome) return;
  app.set({ ask: null });
  if (!outcome.ok) app.announce(app.sentence(outcome));
}

export function showPanel() {
  const kind = urgent();
  const key = kind && `${kind}|${app.language}`;
  if (key !== shown) {
    shown = key;
    element.hidden = !kind;
    document.body.dataset.panel = kind;
    const asks = kind === "still" || kind === "leave";
    for (const id of ["main", "pad", "sheet"]) document.getElementById(id).inert = asks;
    element.setAttribute("role", asks ? "alertdialog" : "alert");
    if (kind) fill(kind);
    else element.replaceChildren();
  }
  if (kind === "still") setText(line, t("still.rest", { seconds: warningSecondsLeft() }));
}

function fill(kind) {
  const [text, ...buttons] = build(kind);
  line = kind === "still" ? h("p", { class: "rest", "aria-live": "off" }) : null;
  const words = h("div", { class: "words" }, h("p", { id: "panel-text", class: "say", text }), line);
  element.setAttribute("aria-labelledby", "panel-text");
  element.replaceChildren(words, ...buttons);
  if (element.getAttribute("role") === "alertdialog") buttons[0].focus();
}
