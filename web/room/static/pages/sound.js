// How the room is heard: louder and quieter, loudspeaker or headphones or hearing loop, and a tone to test it.

import { app } from "../app.js";
import { chime } from "../chime.js";
import { button, h } from "../dom.js";
import { VOLUMES } from "../media.js";
import { t, tOf } from "../texts.js";

const TONE_FELT_MS = 900;

export async function playTone(pressed) {
  pressed.dataset.busy = "";
  setTimeout(() => delete pressed.dataset.busy, TONE_FELT_MS);
  try {
    await chime(app.media.loudness);
  } catch {
    app.announce(t("failed"));
  }
}

export function volumeWords() {
  return t("call.volume", { level: app.media.volume + 1, levels: VOLUMES.length });
}

// `told` is called after each change; without it the new volume is heard and told to those who do not see.
export function volumeButtons(told = () => { app.announce(volumeWords()); chime(app.media.loudness).catch(() => {}); }) {
  const change = (step) => () => { app.media.changeVolume(step); told(); };
  return [button({ label: t("call.quieter"), iconName: "quieter", look: "volume", data: { action: "quieter" }, press: change(-1) }),
    button({ label: t("call.louder"), iconName: "louder", look: "volume", data: { action: "louder" }, press: change(1) })];
}

// The ways to hear that this room has; nothing where there is only one.
export function outputChoice() {
  const element = h("div", { class: "outputs", role: "group", "aria-label": t("sound.output"), hidden: true });
  let drawn = "";
  return {
    element,
    update() {
      const { outputs, output } = app.screen;
      const key = JSON.stringify([outputs, output, app.language]);
      if (key === drawn) return;
      drawn = key;
      element.hidden = outputs.length < 2;
      element.replaceChildren(...(outputs.length < 2 ? [] : outputs.map((name) => choice(name, name === output))));
    },
  };
}

function choice(name, isOn) {
  const made = button({ label: tOf("output", name, name), data: { touch: "output", output: name },
    press: (it) => app.ask("output", { text: name }, it) });
  made.setAttribute("aria-pressed", String(isOn));
  return made;
}
