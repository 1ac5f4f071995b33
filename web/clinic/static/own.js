// Our own camera, microphone and loudspeaker: opened, chosen, tested, turned on and off.

import { Devices } from "./devices.js";
import { showLevel } from "./level.js";
import * as loudspeaker from "./loudspeaker.js";
import { MutedTalk } from "./muted_talk.js";
import { byId, fill, main, make, problem, say, texts } from "./page.js";
import { once } from "./signals.js";

export const devices = new Devices();
const own = { microphone: true, camera: true };
const setLevel = showLevel(byId("level"));
const mutedTalk = new MutedTalk();
let seen = true;
let over = false;
let changed = () => {};
let turn = Promise.resolve(); // devices open one after the other: the newest choice is the one that stays

/** What the others are told of us. */
export const state = () => ({ microphone: own.microphone && Boolean(devices.audio), camera: Boolean(devices.video) });

/** Our microphone, for who judges what it gives (own_sound.js). */
export const sound = () => ({ track: devices.audio, on: own.microphone, talks: mutedTalk.talks });

/** `onChange` runs when what we send has changed. */
export function start(onChange) {
  changed = onChange;
  return open().then(apply);
}

/** Whether we are to see and be seen; one who is not still hears and is heard. */
export function mayBeSeen(may) {
  if (may === seen) return;
  seen = may;
  byId("camera").disabled = !may;
  if (!may) devices.close("video");
  else if (own.camera) return void reopen("video");
  apply();
}

/** Whether our picture goes to other pages too, and is small. */
export async function fit(small) {
  if (await devices.fit(small)) await apply();
}

export function stop() {
  over = true;
  heed();
  setLevel(null);
  mutedTalk.follow(null);
}

// A device takes its time to open: what has been said meanwhile counts, and no lamp stays lit for nothing.
function heed() {
  if (over) devices.close("audio");
  if (over || !seen || !own.camera) devices.close("video");
  if (devices.audio) devices.audio.enabled = own.microphone;
  for (const kind of ["audio", "video"]) if (devices[kind]) devices[kind].onended = () => lost(kind);
}

// Unplugged, or taken back at the browser's own button: another microphone will do, another camera is asked for.
function lost(kind) {
  devices.choose(`${kind}input`, "");
  if (kind === "audio") return reopen("audio");
  devices.close("video");
  own.camera = false;
  problem(texts.no_camera);
  return apply();
}

function draw() {
  const self = byId("self");
  const shown = self.srcObject?.getVideoTracks()[0] ?? null;
  if (shown !== devices.video) self.srcObject = devices.video ? new MediaStream([devices.video]) : null;
  say(byId("self-note"), devices.video ? "" : texts[seen ? "self_off" : "hears_only_self"]);
  setLevel(devices.audio);
  mutedTalk.follow(own.microphone ? null : devices.audio);
  main.dataset.ownCamera = devices.video ? "on" : "off";
  main.dataset.ownMicrophone = state().microphone ? "on" : "off";
  for (const [id, on] of [["microphone", own.microphone], ["camera", own.camera && seen]]) {
    byId(id).dataset.on = on;
    byId(id).textContent = texts[on ? `${id}_off` : `${id}_on`];
  }
}

async function apply() {
  heed();
  if (over) return;
  draw();
  await changed(state());
}

async function fillChoices() {
  const found = await devices.list();
  const kinds = [["camera-choice", "videoinput", devices.video], ["microphone-choice", "audioinput", devices.audio]];
  if (loudspeaker.canChoose) kinds.push(["loudspeaker-choice", "audiooutput", null]);
  for (const [id, kind, track] of kinds) {
    const before = byId(id).value;
    const options = found.filter((device) => device.kind === kind && device.deviceId);
    byId(id).replaceChildren(...options.map((device, index) => make("option", {
      value: device.deviceId, textContent: device.label || fill(texts.device, { number: index + 1 }) })));
    byId(id).value = track?.getSettings().deviceId ?? before;
    if (kind === "audiooutput" && byId(id).selectedIndex < 0 && options.length) byId(id).selectedIndex = 0;
    byId(id).disabled = options.length === 0;
  }
  byId("loudspeaker-box").hidden = byId("loudspeaker-choice").options.length === 0;
}

function reopen(kind) {
  turn = turn.catch(() => null).then(() => reopenNow(kind));
  return turn;
}

async function reopenNow(kind) {
  if (over || (kind === "video" && !(seen && own.camera))) return;
  const key = await devices.reopen(kind);
  heed();
  problem(key ? texts[key] : "");
  await fillChoices();
  await apply();
}

async function open() {
  const key = await devices.open();
  own.camera = own.camera && Boolean(devices.video);
  heed();
  problem(key ? texts[key] : "");
  await fillChoices();
}

byId("camera-choice").addEventListener("change", (event) => {
  devices.choose("videoinput", event.target.value);
  own.camera = true;
  if (seen) reopen("video");
});
byId("microphone-choice").addEventListener("change", (event) => {
  devices.choose("audioinput", event.target.value);
  reopen("audio");
});
byId("loudspeaker-choice").addEventListener("change", (event) => loudspeaker.choose(event.target.value));
byId("loudspeaker-test").addEventListener("click", (event) => once(event.currentTarget, loudspeaker.test));
byId("microphone").addEventListener("click", () => {
  own.microphone = !own.microphone;
  apply();
});
// The camera is closed, not blackened, so that its lamp goes out.
byId("camera").addEventListener("click", () => {
  own.camera = !own.camera;
  if (own.camera) return void reopen("video");
  devices.close("video");
  apply();
});
navigator.mediaDevices?.addEventListener("devicechange", fillChoices);
