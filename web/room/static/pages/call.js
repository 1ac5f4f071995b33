// The meeting: the others large, oneself small, the controls, and words over the picture's lower edge.

import { app } from "../app.js";
import { button, h, heading, setHidden, setText } from "../dom.js";
import { clock, listed, t, tOf } from "../texts.js";
import { makeAnnouncements, makeCaptions } from "./captions.js";
import { outputChoice, volumeButtons, volumeWords } from "./sound.js";
import { makeStage } from "./stage.js";
import { makeTile } from "./tile.js";
import { leaveButton } from "./waiting.js";
import { nextVisit, who } from "./words.js";

const STARTING_SHOWN_MS = 8000;
const VOLUME_SHOWN_MS = 3000;
const BEFORE_SWITCHES = ["party_sound", "muted_talking"]; // graver than that something is switched off

export function call() {
  let volumeAt = -VOLUME_SHOWN_MS;
  const stage = makeStage();
  const captions = makeCaptions();
  const announcements = makeAnnouncements();
  const lines = callLine(() => performance.now() - volumeAt < VOLUME_SHOWN_MS);
  const beside = h("p", { class: "beside", "data-beside": "0", hidden: true });
  const lost = lostPage();
  const self = makeTile("self", t("call.you"));
  const sound = button({ label: t("call.sound"), iconName: "louder", look: "main", data: { action: "sound" },
    press: () => { app.media.unblock(); app.render(); } });
  const controls = makeControls(() => { volumeAt = performance.now(); app.render(); });

  return {
    main: [h("div", { class: "call" }, heading(t("call.title")), stage.element, self.figure,
      h("div", { class: "over" }, beside, announcements.element, lines.element, captions.element),
      lost.element, sound, controls.box)],
    foot: [...controls.buttons, leaveButton()],
    update() {
      const { session } = app.screen;
      document.body.dataset.line = session.line;
      stage.follow(session.parties);
      self.follow({ state: session.camera ? "connected" : "off" });
      captions.follow(session);
      announcements.follow(session);
      controls.follow(app.screen);
      lines.follow(app.screen);
      beside.dataset.beside = String(session.beside.length);
      setText(beside, session.beside.length ? t("call.beside", { names: listed(session.beside.map(who)) }) : "");
      setHidden(beside, !session.beside.length);
      lost.follow(app.screen);
      setHidden(sound, !app.media.blocked || session.line === "lost");
    },
    unmount() {
      delete document.body.dataset.line;
      self.remove();
      stage.remove();
    },
  };
}

// The one line of words: what is wrong before what is well.
function callLine(showsVolume) {
  const element = h("p", { class: "line", role: "status", "data-line": "" });
  let startedAt = null;

  function words(screen) {
    const { session } = screen;
    if (session.line === "reconnecting") return t("call.reconnecting");
    if (showsVolume()) return volumeWords();
    const warning = tOf("warning", session.warning, "");
    if (warning && BEFORE_SWITCHES.includes(session.warning)) return warning;
    if (!session.microphone && !session.camera) return t("call.muted_hidden");
    if (!session.microphone) return t("call.muted");
    if (!session.camera) return t("call.hidden");
    if (warning) return warning;
    if (!session.parties.some((party) => party.state === "connected")) return startedAt ? "" : t("call.wait");
    startedAt ??= performance.now();
    if (performance.now() - startedAt < STARTING_SHOWN_MS) return t("call.starting");
    if (screen.overrun) return nextVisit(screen);
    return session.ends_soon && session.end ? t("call.ends_soon", { time: clock(Date.parse(session.end)) }) : "";
  }

  return {
    element,
    follow(screen) {
      const say = words(screen);
      element.dataset.warning = screen.session.warning;
      setText(element, say);
      setHidden(element, !say);
    },
  };
}

function lostPage() {
  const phone = h("span", { class: "whole" });
  const says = h("p", { class: "say" }, `${t("call.lost")} `, phone);
  const element = h("div", { class: "lost", role: "alert", hidden: true }, says, h("p", { text: t("call.lost_more") }));
  return {
    element,
    follow(screen) {
      setText(phone, screen.phone ? t("call.lost_phone", { phone: screen.phone }) : "");
      setHidden(element, screen.session.line !== "lost");
    },
  };
}

// Microphone, camera, volume; where the room has more ways to hear, they and the volume lie behind one button.
function makeControls(volumeChanged) {
  const microphone = toggle("microphone", { off: t("call.microphone_off"), on: t("call.microphone_on") });
  const camera = toggle("camera", { off: t("call.camera_off"), on: t("call.camera_on") });
  const hand = button({ label: t("call.hand_camera"), iconName: "hand", data: { touch: "camera_choice", camera: "hand" },
    press: (it) => app.ask("camera_choice", { text: it.dataset.camera }, it) });
  const outputs = outputChoice();
  const volume = volumeButtons(volumeChanged);
  const box = h("div", { class: "sound-box", role: "group", "aria-label": t("sound"), hidden: true }, outputs.element,
    ...volumeButtons(volumeChanged), button({ label: t("sound.close"), data: { action: "sound-close" }, press: () => app.set({ aside: null }) }));
  const open = button({ label: t("sound"), iconName: "louder", data: { action: "sound-open" },
    press: () => app.set({ aside: app.local.aside === "sound" ? null : "sound" }) });
  return {
    box,
    buttons: [microphone.button, camera.button, hand, ...volume, open],
    follow({ session, outputs: ways }) {
      microphone.follow(session.microphone);
      camera.follow(session.camera);
      const isMain = session.camera_choice === "main";
      // With more to choose there is room for one button of sound, and the rest lies behind it.
      const many = ways.length > 1 || session.has_hand_camera;
      for (const each of volume) setHidden(each, many);
      setHidden(open, !many);
      setHidden(hand, !session.has_hand_camera);
      hand.dataset.camera = isMain ? "hand" : "main";
      setText(hand.querySelector(".label"), isMain ? t("call.hand_camera") : t("call.main_camera"));
      outputs.update();
      setHidden(box, app.local.aside !== "sound");
      open.setAttribute("aria-expanded", String(app.local.aside === "sound"));
    },
  };
}

// Microphone or camera: the button says what a press does, and shows by colour and icon what is.
function toggle(kind, texts) {
  const made = button({ label: texts.off, iconName: kind, data: { touch: kind, on: "true" },
    press: (it) => app.ask(kind, { on: it.dataset.on !== "true" }, it) });
  return {
    button: made,
    follow(on) {
      made.dataset.on = String(on);
      made.classList.toggle("off", !on);
      made.querySelector(".icon").dataset.icon = on ? kind : `${kind}-off`;
      setText(made.querySelector(".label"), on ? texts.off : texts.on);
    },
  };
}
