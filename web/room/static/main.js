// Starts the page, and draws the one view that follows from the document and this page's own small state.

import { accessControl, applyAccess } from "./access.js";
import { app } from "./app.js";
import { coverNow, showCover } from "./cover.js";
import { button, h, setLabel, setText } from "./dom.js";
import { Feed } from "./feed.js";
import { watchFingers } from "./finger.js";
import { forgetFocus, mendFocus, rememberFocus } from "./focus.js";
import { beat } from "./heartbeat.js";
import { listenToKeys } from "./keys.js";
import { Media } from "./media.js";
import { call } from "./pages/call.js";
import { check } from "./pages/check.js";
import { choose, code, firstStep } from "./pages/checkin.js";
import { ended } from "./pages/ended.js";
import { enrol } from "./pages/enrol.js";
import { idle } from "./pages/idle.js";
import { fault, halted, hold, loading, queue, rejected } from "./pages/notice.js";
import { scan } from "./pages/scan.js";
import { STAFF_PAGES, staffPage } from "./pages/staff.js";
import { waiting } from "./pages/waiting.js";
import { showPanel } from "./panel.js";
import { felt, watchPresence } from "./presence.js";
import { reportQuality } from "./quality.js";
import { showSheet } from "./sheet.js";
import { reportStalled } from "./stalled.js";
import { listenToPage, sayPage } from "./speech.js";
import { clock, loadTexts, t } from "./texts.js";

const PAGES = { loading, idle, "checkin-choose": choose, "checkin-code": code, "checkin-scan": scan,
  queue, waiting, "waiting-check": check, call, hold, ended, rejected, fault, enrol, halted, ...STAFF_PAGES };
const SESSION_PAGES = ["waiting", "call", "ended"];
// Where staff may come to the screen while somebody is in the room.
const [head, main, pad, foot] = ["head", "main", "pad", "foot"].map((id) => document.getElementById(id));
const roomName = h("p", { class: "room" });
const time = h("p", { class: "time" });
const help = button({ label: "", iconName: "help", look: "help", data: { touch: "help" }, press: (it) => app.help(it) });
let drawn = { key: "", page: null };
let heard = "";
let askedFor = 0;
// The meeting that goes on beneath staff's pages: it is hidden, and heard; a picture that is moved would stop.
let beneath = null;

function pageNow() {
  const { screen, local } = app;
  if (!screen) return "loading";
  if (local.page === "staff") return staffPage();
  switch (screen.page) {
    case "idle": return screen.session?.was_rejected ? "rejected" : local.page ?? (screen.queue ? "queue" : "idle");
    case "waiting": return local.aside ?? "waiting";
    case "call": return screen.session.on_hold ? "hold" : "call";
    default: return screen.page;
  }
}

function render() {
  app.speak();
  applyAccess();
  const name = pageNow();
  const key = `${name}|${app.language}|${app.screen?.halted ?? ""}`;
  if (key !== drawn.key) draw(name, key);
  document.body.dataset.present = app.screen?.present === false ? "no" : "";
  setText(roomName, app.screen?.room_name ?? "");
  setText(time, app.screen ? clock(app.now()) : "");
  drawn.page.update?.();
  if (beneath && app.screen?.session) beneath.page.update?.();
  showCover();
  showSheet();
  showPanel();
  mendFocus();
  const seen = `${key}|${document.body.dataset.page}|${app.local.sheet}`;
  if (seen !== heard) sayPage();
  heard = seen;
}

function draw(name, key) {
  const samePage = document.body.dataset.view === name;
  const isDesk = name.startsWith("staff") && Boolean(app.screen.session);
  if (isDesk && !beneath) beneath = { ...drawn, nodes: [...main.children] };
  else drawn.page?.unmount?.();
  const goesOn = !isDesk && beneath?.key === key;
  const page = goesOn ? beneath.page : PAGES[name]();
  if (!isDesk && !goesOn) beneath?.page.unmount?.();
  drawn = { key, page };
  document.body.dataset.view = name;
  document.title = app.screen?.room_name ?? "Hälsorum";
  setLabel(help, t("help"));
  for (const node of beneath?.nodes ?? []) node.hidden = isDesk;
  if (isDesk || goesOn) main.querySelector(":scope > .desk")?.remove();
  if (isDesk) main.append(h("div", { class: "desk" }, ...page.main));
  else if (!goesOn) main.replaceChildren(...page.main);
  if (!isDesk) beneath = null;
  pad.replaceChildren(...(page.pad ?? []));
  const helps = name === "enrol" || name === "halted" ? [] : [help];
  foot.replaceChildren(...helps, ...(name === "halted" ? [] : accessControl(name)), ...(page.foot ?? []));
  if (samePage) return;
  app.local.sheet = "";
  forgetFocus();
  main.querySelector(isDesk ? ".desk h1" : "h1")?.focus({ preventScroll: true });
}

// The panel's start button: the page it asks for, where nobody is on another one.
function followButton(asked, first) {
  const isNew = Boolean(asked) && asked.id !== askedFor;
  askedFor = asked?.id ?? askedFor;
  if (!isNew || first) return;
  felt();
  const { local, screen } = app;
  if (local.ask === "still") local.ask = null;
  if (screen.page !== "idle" || screen.session || local.page) return;
  local.message = "";
  local.page = asked.page === "staff" ? "staff" : firstStep(screen);
}

function receive(screen) {
  const before = app.screen?.session?.sid;
  const page = app.screen?.page;
  app.take(screen);
  if (before && screen.session?.sid !== before) {
    startAfresh();
    return;
  }
  if (page !== screen.page) app.local.aside = null;
  if (!page && screen.scan) app.touch("scan", { on: false }); // loaded anew: the page the camera was open for is gone
  if (app.local.page !== "staff") {
    if (screen.page !== "idle") app.local.page = null;
    // A page that was loaded anew, a PIN that was found right after its writer had gone, a lock that did not get
    // through: nobody knows who is there.
    if (app.unlocked) app.touch("staff_lock");
  } else if (page !== screen.page && SESSION_PAGES.includes(screen.page)) {
    app.home(); // the screen is the patient's again
  }
  if (!["waiting", "call"].includes(screen.page) && app.local.ask === "leave") app.local.ask = null;
  followButton(screen.asked_page, !page);
  app.media.startAt(screen.volume);
  app.media.follow(screen);
  render();
}

// After a session the whole document goes, and with it all that scripts remember. The server is asked first,
// so that the screen never ends up on the browser's own error page.
async function startAfresh() {
  app.media.closeAll();
  try {
    if ((await fetch("/healthz")).ok) {
      location.replace("/wipe");
      return;
    }
  } catch {
    // Away for a moment.
  }
  setTimeout(startAfresh, 1000);
}

function listen() {
  app.felt = felt;
  addEventListener("keydown", felt, { capture: true, passive: true });
  watchFingers();
  addEventListener("pagehide", () => app.media.closeAll());
  addEventListener("keydown", (event) => { if (!app.local.sheet && !coverNow()) drawn.page?.key?.(event); });
  listenToKeys();
  rememberFocus();
  listenToPage();
  setInterval(() => {
    watchPresence(document.body.dataset.view);
    render();
  }, 1000);
}

async function start() {
  beat();
  app.render = render;
  app.announce = (text) => setText(document.getElementById("announce"), text);
  app.media = new Media({ onSoundBlocked: render });
  reportQuality(app.media);
  reportStalled(app.media);
  head.append(roomName, time);
  while (true) {
    try {
      await loadTexts();
      break;
    } catch {
      await new Promise((done) => setTimeout(done, 1000));
    }
  }
  render();
  listen();
  const feed = new Feed({
    onScreen: receive,
    onLevel: (decibels) => drawn.page?.level?.(decibels),
    onState: (state) => { app.feed = state; render(); },
  });
  feed.open();
}

start();
