// The meeting page: what the region says moves it along, and its buttons say what the clinician wants.

import { post } from "./api.js";
import { Call } from "./call.js";
import { Devices } from "./devices.js";
import { IN_CALL, listen } from "./feed.js";
import { showLevel } from "./level.js";
import { Picture } from "./picture.js";
import { QualityReports } from "./quality.js";

const ALIVE_MS = 5 * 60 * 1000; // a meeting counts as use: nobody is signed out of one
const ENDED_WAIT_MS = 3000;
const SIGNAL_WITHIN_MS = 4000;
const UNREACHED_SAID_AFTER_MS = 3000; // a server that restarts is back by then
const CALLING = ["admitted", "in_call"];
const PASSING = ["lost", "unit_restarted", "failed", "replaced"]; // reasons of a bye after which the unit offers anew

const byId = (id) => document.getElementById(id);
const main = byId("content");
const texts = JSON.parse(main.dataset.texts);
const base = `/api/meeting/${main.dataset.sid}`;
// Not randomUUID: that one exists only where the page is secure.
const instance = [...crypto.getRandomValues(new Uint8Array(12))].map((n) => n.toString(16).padStart(2, "0")).join("");
const title = document.title;

// One after the other: the unit must not get a candidate before the answer it belongs to.
let queue = Promise.resolve();
function send(message) {
  const now = () => (isStale(message) ? null : post(`${base}/signal`, { instance, message }, SIGNAL_WITHIN_MS));
  queue = queue.then(now).catch(() => null);
  return queue;
}

// What waited behind a dead line must not hold up what is said of the newest offer.
function isStale({ type, attempt }) {
  return type === "candidate" && attempt !== call.attempt;
}

function say(element, words) {
  if (element.textContent !== words) element.textContent = words;
  element.hidden = !words;
}

// --- Our own camera and microphone
const devices = new Devices();
const own = { microphone: true, camera: true };
const setLevel = showLevel(byId("level"));

function drawSelf() {
  const self = byId("self");
  const shown = self.srcObject?.getVideoTracks()[0] ?? null;
  if (shown !== devices.video) self.srcObject = devices.video ? new MediaStream([devices.video]) : null;
  say(byId("self-note"), devices.video ? "" : texts.self_off);
  setLevel(devices.audio);
  main.dataset.ownCamera = devices.video ? "on" : "off";
  main.dataset.ownMicrophone = devices.audio && own.microphone ? "on" : "off";
  for (const [id, on] of [["microphone", own.microphone], ["camera", own.camera]]) {
    byId(id).dataset.on = on;
    byId(id).textContent = texts[on ? `${id}_off` : `${id}_on`];
  }
}

async function ownChanged() {
  if (devices.audio) devices.audio.enabled = own.microphone;
  drawSelf();
  await call.own({ microphone: own.microphone && Boolean(devices.audio), camera: Boolean(devices.video) });
}

async function fillChoices() {
  const found = await devices.list();
  for (const [id, kind, track] of [["camera-choice", "videoinput", devices.video], ["microphone-choice", "audioinput", devices.audio]]) {
    const options = found.filter((device) => device.kind === kind && device.deviceId);
    byId(id).replaceChildren(...options.map((device, index) =>
      new Option(device.label || texts.device.replace("{number}", index + 1), device.deviceId)));
    byId(id).value = track?.getSettings().deviceId ?? "";
    byId(id).disabled = options.length === 0;
  }
}

async function reopen(kind) {
  const problem = await devices.reopen(kind);
  say(byId("media-problem"), problem ? texts[problem] : "");
  await fillChoices();
  await ownChanged();
}

async function openDevices() {
  const problem = await devices.open();
  say(byId("media-problem"), problem ? texts[problem] : "");
  own.camera = Boolean(devices.video);
  await fillChoices();
}

byId("camera-choice").addEventListener("change", (event) => {
  devices.choose("videoinput", event.target.value);
  own.camera = true;
  reopen("video");
});
byId("microphone-choice").addEventListener("change", (event) => {
  devices.choose("audioinput", event.target.value);
  reopen("audio");
});
byId("microphone").addEventListener("click", () => {
  own.microphone = !own.microphone;
  ownChanged();
});
// The camera is closed, not blackened, so that its lamp goes out.
byId("camera").addEventListener("click", () => {
  own.camera = !own.camera;
  if (own.camera) return void reopen("video");
  devices.close("video");
  ownChanged();
});
navigator.mediaDevices?.addEventListener("devicechange", fillChoices);

// --- The call
function onLine(line) {
  main.dataset.line = line;
  say(byId("line"), ["connecting", "reconnecting"].includes(line) ? texts[line] : "");
  byId("gone").hidden = line !== "lost";
  if (line === "reconnecting") feed?.doubt();
  sayUnreached();
  if (line === "connected") byId("announce").textContent = texts.connected;
}

function onRoom({ microphone, camera }) {
  main.dataset.roomMicrophone = microphone ? "on" : "off";
  main.dataset.roomCamera = camera ? "on" : "off";
  say(byId("remote-note"), [microphone ? "" : texts.room_muted, camera ? "" : texts.room_camera_off].join(" ").trim());
}

// The region carries no picture and no sound: without it the call goes on.
let unreachedTimer = 0;
let unreached = false;
function onFeed(up) {
  if (up) {
    clearTimeout(unreachedTimer);
    unreached = false;
    call.signalling();
  } else if (main.dataset.feed !== "down") {
    unreachedTimer = setTimeout(() => { unreached = true; sayUnreached(); }, UNREACHED_SAID_AFTER_MS);
  }
  main.dataset.feed = up ? "up" : "down";
  sayUnreached();
}

function sayUnreached() {
  byId("unreached").hidden = !unreached || main.dataset.line !== "connected";
}

const makePicture = (onFirstFrame) => new Picture(byId("remote"), byId("sound-on"), onFirstFrame);
const call = new Call(send, devices, makePicture, {
  line: onLine,
  room: onRoom,
  attempt: (attempt) => { main.dataset.attempt = attempt; },
});

const quality = new QualityReports(() => call, (reports) => post(`${base}/quality`, { instance, reports }));

// --- What the region says
function toEnded() {
  stop();
  location.replace(byId("leave").href);
}

function onSession({ state, over, facts }) {
  if (over) return toEnded();
  const arrived = state === "waiting" && main.dataset.sessionState !== "waiting";
  main.dataset.sessionState = state;
  byId("facts").innerHTML = facts; // our own template's, where every value is escaped
  byId("admit").disabled = state !== "waiting";
  const calling = CALLING.includes(state);
  if (calling) enterCall();
  else main.dataset.stage = "waiting"; // the unit was away too long: the patient checks in again
  document.title = state === "waiting" ? `${texts.waiting_title} · ${title}` : title;
  if (arrived) byId("announce").textContent = texts.waiting;
  call.want(calling);
}

function enterCall() {
  if (main.dataset.stage === "call") return;
  main.dataset.stage = "call";
  byId("devices").open = false;
}

function onBye({ reason }) {
  if (PASSING.includes(reason)) return;
  if (reason === "rejected" || reason === "refused") return say(byId("media-problem"), texts.refused);
  toEnded();
}

function onReplaced() {
  stop();
  main.dataset.stage = "replaced";
  for (const id of ["stage", "side"]) byId(id).hidden = true;
  document.querySelector(".controls").hidden = true;
  byId("elsewhere").hidden = false;
  byId("open-here").focus();
}

const handlers = {
  session: onSession,
  offer: (message) => { enterCall(); call.offer(message); },
  candidate: (message) => call.candidate(message),
  bye: onBye,
  replaced: onReplaced,
};

// --- Buttons
async function ask(message, button) {
  button.disabled = true;
  const answer = await send(message);
  if (answer?.ok) return true;
  button.disabled = false;
  const told = await answer?.json().catch(() => null);
  say(byId("media-problem"), told?.reason ?? texts.not_done);
  return false;
}

byId("admit").addEventListener("click", (event) => ask({ type: "admit" }, event.currentTarget));
byId("leave").addEventListener("click", async (event) => {
  event.preventDefault();
  const begun = main.dataset.stage === "call";
  await send({ type: "leave" });
  if (begun) return toEnded();
  stop();
  location.assign("/today");
});
byId("end").addEventListener("click", () => byId("end-dialog").showModal());
byId("end-no").addEventListener("click", () => byId("end-dialog").close());
byId("end-yes").addEventListener("click", async (event) => {
  const done = await ask({ type: "end" }, event.currentTarget);
  byId("end-dialog").close();
  if (!done) return;
  closeMedia();
  setTimeout(toEnded, ENDED_WAIT_MS); // sooner when the unit has confirmed it
});
byId("open-here").addEventListener("click", () => location.reload());

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
  call.close();
  for (const kind of ["audio", "video"]) devices.close(kind);
}

// The camera first, or the first answer would go without it; the meeting goes on if nobody answers the question.
const DEVICES_WAIT_MS = 4000;
const opened = openDevices().then(ownChanged);
await Promise.race([opened, new Promise((resolve) => setTimeout(resolve, DEVICES_WAIT_MS))]);
feed = listen(`${base}/feed?instance=${instance}`, (message) => handlers[message.type]?.(message), onFeed, IN_CALL);
alive = setInterval(() => post("/api/alive"), ALIVE_MS);
