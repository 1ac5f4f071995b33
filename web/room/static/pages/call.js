// The meeting: the others large, oneself small, six controls and one line of words.

import { app } from "../app.js";
import { button, h, heading, setHidden, setText } from "../dom.js";
import { VOLUMES } from "../media.js";
import { t } from "../texts.js";
import { makeTile } from "./tile.js";
import { leaveButton } from "./waiting.js";

const STARTING_SHOWN_MS = 8000;
const VOLUME_SHOWN_MS = 3000;

export function call() {
  const tiles = new Map();
  let startedAt = null;
  let volumeAt = -VOLUME_SHOWN_MS;
  const stage = h("div", { class: "stage" });
  const line = h("p", { class: "line", role: "status", "data-line": "" });
  const lostPhone = h("span", { class: "whole" });
  const lostSays = h("p", { class: "say" }, `${t("call.lost")} `, lostPhone);
  const lost = h("div", { class: "lost", role: "alert", hidden: true }, lostSays, h("p", { text: t("call.lost_more") }));
  const self = makeTile("self", t("call.you"));
  const sound = button({ label: t("call.sound"), iconName: "louder", look: "main", data: { action: "sound" },
    press: () => { app.media.unblock(); app.render(); } });
  const microphone = toggle("microphone");
  const camera = toggle("camera");
  const volume = (step) => () => { app.media.changeVolume(step); volumeAt = performance.now(); app.render(); };

  function followParties(parties) {
    const here = parties.filter((party) => party.state !== "joined");
    for (const [peer, tile] of tiles) if (!here.some((party) => party.peer === peer)) { tile.remove(); tiles.delete(peer); }
    for (const party of here) {
      if (!tiles.has(party.peer)) {
        const tile = makeTile(`peer/${party.peer}`, "");
        tiles.set(party.peer, tile);
        stage.append(tile.figure);
      }
      tiles.get(party.peer).follow(party);
    }
    stage.dataset.count = here.length;
  }

  function words(session) {
    if (session.line === "reconnecting") return t("call.reconnecting");
    if (performance.now() - volumeAt < VOLUME_SHOWN_MS)
      return t("call.volume", { level: app.media.volume + 1, levels: VOLUMES.length });
    if (!session.microphone && !session.camera) return t("call.muted_hidden");
    if (!session.microphone) return t("call.muted");
    if (!session.camera) return t("call.hidden");
    if (!session.parties.some((party) => party.state === "connected")) return startedAt ? "" : t("call.wait");
    startedAt ??= performance.now();
    return performance.now() - startedAt < STARTING_SHOWN_MS ? t("call.starting") : "";
  }

  return {
    main: [h("div", { class: "call" }, heading(t("call.title")), stage, self.figure, line, lost, sound)],
    foot: [microphone.button, camera.button,
      button({ label: t("call.quieter"), iconName: "quieter", data: { action: "quieter" }, press: volume(-1) }),
      button({ label: t("call.louder"), iconName: "louder", data: { action: "louder" }, press: volume(1) }),
      leaveButton()],
    update() {
      const { session, phone } = app.screen;
      document.body.dataset.line = session.line;
      followParties(session.parties);
      self.follow({ state: session.camera ? "connected" : "off" });
      microphone.follow(session.microphone);
      camera.follow(session.camera);
      const say = words(session);
      setText(line, say);
      setHidden(line, !say);
      setText(lostPhone, phone ? t("call.lost_phone", { phone }) : "");
      setHidden(lost, session.line !== "lost");
      setHidden(sound, !app.media.blocked);
    },
    unmount() {
      delete document.body.dataset.line;
      self.remove();
      for (const tile of tiles.values()) tile.remove();
    },
  };
}

// Microphone or camera: the button says what a press does, and shows by colour and icon what is.
function toggle(kind) {
  const texts = kind === "microphone"
    ? { off: t("call.microphone_off"), on: t("call.microphone_on") }
    : { off: t("call.camera_off"), on: t("call.camera_on") };
  const made = button({ label: texts.off, iconName: kind, data: { touch: kind, on: "true" },
    press: async (it) => {
      const outcome = await app.touch(kind, { on: it.dataset.on !== "true" }, it);
      if (outcome && !outcome.ok) app.announce(app.sentence(outcome));
    } });
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
