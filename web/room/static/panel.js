// The one box that may lie over a page, above the footer so that Help stays in reach: what is asked just now.

import { app } from "./app.js";
import { covers, coverNow } from "./cover.js";
import { button, h, setText } from "./dom.js";
import { stillHere, warningSecondsLeft } from "./presence.js";
import { t, tOf } from "./texts.js";

const element = document.getElementById("panel");
let shown = "";
let rest = null;

function asked() {
  const { feed, local, screen } = app;
  if (feed !== "open") return `feed-${feed}`;
  if (local.ask === "still") return "still";
  if (screen?.session?.question) return "question";
  if (local.ask === "leave") return "leave";
  if (screen?.session?.alone) return "alone";
  return "";
}

function build(kind) {
  const phone = { phone: app.screen?.phone ?? "" };
  switch (kind) {
    case "feed-lost": return [t("feed.lost", phone)];
    case "feed-shut": return [t("feed.shut", phone)];
    case "still": return [t("still.question"),
      button({ label: t("still.yes"), look: "main", data: { touch: "still_here" }, press: stillHere })];
    case "alone": return [t("alone.question"),
      button({ label: t("still.yes"), look: "main", data: { touch: "still_here" }, press: stillHere })];
    case "question": return question(app.screen.session.question);
    default: return [t("leave.question"),
      button({ label: t("leave.no"), look: "main", data: { action: "stay" }, press: () => app.set({ ask: null }) }),
      button({ label: t("leave.yes"), look: "stop", iconName: "leave", data: { touch: "leave" }, press: leave })];
  }
}

function question(asks) {
  const answer = (on) => (it) => app.ask("consent", { on, text: asks.id }, it);
  return [t("question.still", { who: tOf("role", asks.role, asks.role) }),
    button({ label: t("question.no"), look: "main", data: { touch: "consent", on: "false" }, press: answer(false) }),
    button({ label: t("question.yes"), data: { touch: "consent", on: "true" }, press: answer(true) })];
}

async function leave(pressed) {
  const outcome = await app.ask("leave", {}, pressed);
  if (outcome?.ok || outcome?.refusal) app.set({ ask: null }); // else nobody has left: to be pressed again
}

// The second line, which counts: never aloud, since each second would drown everything else.
function counting(kind) {
  if (kind === "still") return t("still.rest", { seconds: warningSecondsLeft() });
  if (kind === "alone") return t("alone.rest");
  if (kind !== "question") return "";
  const left = Date.parse(app.screen.session.question.until) - app.now();
  return t("question.rest", { seconds: Math.max(0, Math.ceil(left / 1000)) });
}

export function showPanel() {
  const kind = asked();
  const boxed = coverNow() ? "" : kind;
  const id = kind === "question" ? app.screen.session.question.id : "";
  const key = boxed && `${boxed}|${id}|${app.language}`;
  document.body.dataset.panel = kind || covers();
  if (key !== shown) {
    shown = key;
    element.hidden = !boxed;
    const asks = ["still", "leave", "alone"].includes(boxed);
    // What lies beneath a cover stays out of reach when the question before it goes.
    for (const part of ["main", "pad", "sheet"]) document.getElementById(part).inert = asks || Boolean(coverNow());
    element.setAttribute("role", asks || boxed === "question" ? "alertdialog" : "alert");
    if (boxed) fill(boxed);
    else element.replaceChildren();
  }
  if (boxed && rest) setText(rest, counting(boxed));
}

function fill(kind) {
  const [text, ...buttons] = build(kind);
  rest = counting(kind) ? h("p", { class: "rest", "aria-live": "off" }) : null;
  const words = h("div", { class: "words" }, h("p", { id: "panel-text", class: "say", text }), rest);
  element.setAttribute("aria-labelledby", "panel-text");
  element.replaceChildren(words, ...buttons);
  if (element.getAttribute("role") === "alertdialog") buttons[0].focus();
}
