// Checked in: nothing more to do, and nothing here times out.

import { app } from "../app.js";
import { button, h, heading, setText } from "../dom.js";
import { languageControl } from "../language.js";
import { clock, inMinutes, t, tOf } from "../texts.js";
import { levelBar, mirror } from "./mirror.js";
import { outputChoice, playTone, volumeButtons } from "./sound.js";
import { nextVisit } from "./words.js";

const MINUTE_MS = 60_000;

export function waiting() {
  const own = mirror(t("waiting.self"));
  const level = levelBar();
  const title = heading("");
  const meets = h("p", { class: "next", "data-meets": "" });
  const time = h("p", { class: "next", "data-minutes": "" });
  const then = h("p", { class: "then", role: "status", "data-late": "" });
  const outputs = outputChoice();
  return {
    main: [h("div", { class: "waiting" },
      h("div", { class: "words" }, title, meets, time, then),
      h("div", { class: "mirror" }, h("div", { class: "frame" }, own.video), level.element,
        h("p", { class: "soft", text: t("waiting.level") })),
      h("div", { class: "tests" }, outputs.element,
        button({ label: t("waiting.tone"), iconName: "tone", data: { action: "tone" }, press: playTone }),
        button({ label: t("sound"), iconName: "louder", look: "ways", data: { action: "sound-open" },
          press: () => app.set({ aside: "waiting-check", step: "sound" }) }),
        button({ label: t("waiting.check"), iconName: "help", look: "quiet", data: { action: "check" },
          press: () => app.set({ aside: "waiting-check", step: null }) })))],
    foot: [languageControl(), ...volumeButtons(), leaveButton()],
    update() {
      const { session, region_up: regionUp } = app.screen;
      document.body.dataset.fault = regionUp ? "" : "region";
      setText(title, regionUp ? t("waiting.title") : t("waiting.region"));
      setText(meets, t("waiting.meets", { role: tOf("role", session.meets, session.meets), clinic: session.clinic }));
      setText(time, howLong(session));
      setText(then, next(app.screen));
      then.classList.toggle("note", session.late || !regionUp || Boolean(app.screen.overrun));
      outputs.update();
    },
    level: level.show,
    unmount() {
      delete document.body.dataset.fault;
      own.remove();
    },
  };
}

function howLong(session) {
  const start = Date.parse(session.start);
  const minutes = Math.ceil((start - app.now()) / MINUTE_MS);
  const time = clock(start);
  return minutes > 0 ? t("waiting.begins", { time, when: inMinutes(minutes) }) : t("waiting.time", { time });
}

// What happens next, or what the wait is for.
function next(screen) {
  if (!screen.region_up) return t("waiting.region_next", { phone: screen.phone });
  if (screen.overrun) return nextVisit(screen);
  return screen.session.late ? t("waiting.late") : t("waiting.next");
}

export function leaveButton() {
  return button({ label: t("leave"), iconName: "leave", look: "stop far", data: { action: "leave" },
    press: () => app.set({ ask: "leave" }) });
}
