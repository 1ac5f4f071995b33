// The meeting page: what the region says moves it along, and its buttons say what its person wants.

import { post } from "./api.js";
import { startBeside } from "./beside.js";
import { startButtons } from "./buttons.js";
import { Call } from "./call.js";
import { chatLine, startChat } from "./chat.js";
import { startConsent } from "./consent.js";
import { IN_CALL, listen } from "./feed.js";
import { toRoom } from "./limits.js";
import { drawLobby } from "./lobby.js";
import { Mesh } from "./mesh.js";
import { startNames } from "./names.js";
import * as own from "./own.js";
import { OwnSound } from "./own_sound.js";
import { announce, base, begin, byId, fill, inTitle, instance, main, problem, say, texts } from "./page.js";
import { drawPeople, roleWords, whoWords } from "./panel.js";
import { People, tidyBeside } from "./people.js";
import { Picture } from "./picture.js";
import { QualityReports } from "./quality.js";
import { RoomCamera } from "./room_camera.js";
import { RoomLine } from "./room_line.js";
import { startSeats } from "./seats.js";
import { Showing } from "./showing.js";
import { ask, send } from "./signals.js";
import { arrange, makeTile, showView } from "./stage.js";
import { Stills } from "./stills.js";
import { Roll } from "./summary.js";

const ALIVE_MS = 5 * 60 * 1000; // a meeting counts as use: nobody is signed out of one
const KNOCK_AGAIN_MS = 60 * 1000;
const CALLING = ["admitted", "in_call"];
const PASSING = ["lost", "unit_restarted", "failed", "replaced"]; // reasons of a bye after which the unit offers anew

history.scrollRestoration = "manual"; // a page loaded anew begins with the picture

const people = new People(main.dataset.leads === "yes");
const roll = new Roll();
const roomLine = new RoomLine(() => feed?.doubt());
const ownSound = new OwnSound();
const shows = new Map(); // peer → whether it says that it shows something
const isStale = ({ type, attempt }) => type === "candidate" && attempt !== call.attempt;

// --- Connections: to the room, to the other pages, and what this page shows
const tracks = {
  get audio() { return own.devices.audio; },
  get video() { return own.devices.video; },
  get share() { return showing.track; },
};
const call = new Call((message) => send(message, isStale), own.devices,
  (onFirstFrame) => new Picture(byId("remote"), byId("sound-on"), onFirstFrame), {
    line: (line) => roomLine.line(line),
    far: (state) => roomLine.far(state),
    attempt: (attempt) => { main.dataset.attempt = attempt; },
    message: heardFromRoom,
    bytes: (bytes) => stills.bytes(bytes),
    silent: (silent) => roomLine.silent(silent),
    spoken: (now, energy) => roomLine.own(ownSound.judge(now, { ...own.sound(), energy })),
  });
const mesh = new Mesh(send, tracks, (peer) => makeTile(peer, partyGone), { message: heardFromPage });
const showing = new Showing(send, (track) => {
  mesh.tell({ type: "share", on: Boolean(track) });
  mesh.own();
});
const stills = new Stills((message) => call.say(message), () => ask({ type: "still_saved" }));
const roomCamera = new RoomCamera((message) => call.say(message), people);
const quality = new QualityReports(() => call, (reports) => post(`${base}/quality`, { instance, reports }));

// Whether it reached anyone.
const toAll = (message) => [call.say(message), mesh.say(message)].includes(true);
const drawBeside = startBeside(people, (list) => toAll({ type: "beside", people: list }));
const drawConsent = startConsent(people);
const drawSeats = startSeats(people);
startChat(toAll);
startNames((told) => {
  people.own = told;
  for (const one of [call, mesh]) one.tell({ type: "name", ...told });
  draw();
});

function draw() {
  roll.see(people);
  main.dataset.leads = people.iLead ? "yes" : "no";
  main.dataset.others = people.others.length;
  for (const part of [drawPeople, drawLobby]) part(people);
  for (const part of [drawBeside, drawConsent, drawSeats]) part();
  roomCamera.draw();
  for (const { peer, role, share } of people.others) {
    const words = whoWords(people, peer);
    mesh.tile(peer)?.named(words, roleWords(role));
    // To one who only hears nothing is sent: no large empty tile.
    showView(peer, (shows.get(peer) ?? share ?? false) && people.me?.sees !== false, words);
  }
  say(byId("held-note"), people.held ? texts.held : "");
  byId("hold").textContent = people.held ? texts.hold_off : texts.hold_on;
  byId("hold").dataset.on = !people.held;
  arrange();
}

// --- What the room and the other pages say over the data channels
function heardFromRoom(message) {
  if (message.type === "beside") people.beside = tidyBeside(message.people);
  else if (message.type === "view") return roomCamera.is(message);
  else if (message.type === "warning") return roomLine.warn(message);
  else if (message.type === "held") people.held = message.on === true;
  else if (String(message.type).startsWith("still")) return stills.hear(message);
  draw();
}

function heardFromPage(peer, message) {
  if (message?.type === "name") people.name(peer, message);
  else if (message?.type === "chat") return chatLine(whoWords(people, peer), message);
  else if (message?.type === "share") shows.set(peer, message.on === true);
  else if (message?.type === "beside" && peer === people.chair) people.beside = tidyBeside(message.people);
  draw();
}

function partyGone(peer) {
  shows.delete(peer);
  showView(peer, false);
}

// --- What the region says
function toEnded() {
  stop();
  if (main.dataset.summary) roll.keep();
  location.replace(byId("leave").href);
}

function onSession({ state, over, facts }) {
  if (over) return toEnded();
  const arrived = state === "waiting" && main.dataset.sessionState !== "waiting";
  main.dataset.sessionState = state;
  byId("facts").innerHTML = facts; // our own template's, where every value is escaped
  byId("admit").disabled = byId("reject").disabled = state !== "waiting";
  const calling = CALLING.includes(state);
  if (calling) enter("call");
  else if (main.dataset.stage === "call") enter("waiting"); // the unit was away too long: the patient checks in again
  inTitle("waiting", state === "waiting" ? texts.waiting_title : "");
  if (arrived) announce(texts.waiting, "arrival");
  call.want(calling);
}

function enter(stage) {
  if (main.dataset.stage === stage) return;
  main.dataset.stage = stage;
  scrollTo(0, 0); // on a telephone the picture is above what was filled in
  if (stage === "call" && byId("devices").open) byId("people").open = true;
  draw();
}

function onParties(message) {
  mesh.by(message);
  const { came, went } = people.update(message);
  if (main.dataset.stage === "lobby") enter("waiting");
  mesh.update(people.you, people.parties);
  own.mayBeSeen(people.me?.sees ?? true);
  call.limit("video", toRoom(people.others.length));
  own.fit(people.others.length > 0);
  if (showing.track && !people.iMayShow) showing.stop();
  const words = (all, text) => all.map(({ role }) => fill(text, { who: begin(roleWords(role)) }));
  const said = [...words(came, texts.came), ...words(went, texts.went)];
  draw();
  if (said.length) announce(said.join(" "));
}

function onLobby({ state }) {
  if (state === "ended") return toEnded();
  if (state === "closed") return outside(texts.removed);
  if (state === "rejected") return turnedAway();
  if (state === "admitted") return enter("waiting");
  enter("lobby");
  const words = state === "full" ? texts.lobby_full : texts.lobby_waits;
  say(byId("lobby-note"), words);
  announce(words);
}

// The region lets nobody knock again before that.
function turnedAway() {
  outside(texts.not_admitted, true);
  const button = byId("open-here");
  button.textContent = texts.knock_again;
  button.disabled = true;
  setTimeout(() => { button.disabled = false; }, KNOCK_AGAIN_MS);
}

function onBye({ reason }) {
  if (PASSING.includes(reason)) return;
  if (reason === "refused") return problem(texts.refused);
  if (reason === "rejected") return outside(texts.removed);
  toEnded();
}

// Nothing more comes to this page.
function outside(words, again = false) {
  stop();
  main.dataset.stage = "replaced";
  for (const id of ["stage", "side"]) byId(id).hidden = true;
  document.querySelector(".controls").hidden = true;
  byId("elsewhere").hidden = false;
  byId("elsewhere-words").textContent = words;
  byId("open-here").hidden = !again;
  byId("elsewhere-words").focus();
}

const handlers = {
  session: onSession,
  offer: (message) => {
    if (message.share) return showing.hear(message);
    mesh.by(message);
    enter("call");
    call.offer(message);
  },
  candidate: (message) => (message.share ? showing.hear(message) : call.candidate(message)),
  bye: (message) => message.share || onBye(message),
  replaced: () => outside(texts.elsewhere, true),
  parties: onParties,
  lobby: onLobby,
  mesh: (message) => mesh.hear(message),
};

// --- On
let feed = null;
let alive = 0;
function stop() {
  feed?.stop();
  clearInterval(alive);
  quality.stop();
  closeMedia();
}
function closeMedia() {
  showing.stop({ tell: false });
  stills.stop();
  mesh.close();
  call.close();
  own.stop();
}

startButtons(people, { toEnded, stop, closeMedia });

function onFeed(up) {
  roomLine.feed(up);
  if (!up) return;
  for (const one of [call, mesh]) one.signalling();
  showing.again();
}

function join() {
  if (feed) return;
  if (main.dataset.stage === "prepare") enter("waiting");
  feed = listen(`${base}/feed?instance=${instance}`, (message) => handlers[message.type]?.(message), onFeed, IN_CALL);
  alive = setInterval(() => post("/api/alive"), ALIVE_MS);
}

byId("join-form").addEventListener("submit", (event) => {
  event.preventDefault();
  join();
});
if (byId("join")) byId("join").disabled = false; // a click before this would send the form and lose what it says
draw();
// The camera first, or the first answer would go without it; the meeting goes on if nobody answers the question.
const DEVICES_WAIT_MS = 4000;
const opened = own.start(async (state) => {
  mesh.own(state);
  await call.own(state);
});
await Promise.race([opened, new Promise((resolve) => setTimeout(resolve, DEVICES_WAIT_MS))]);
if (main.dataset.stage !== "prepare") join();
