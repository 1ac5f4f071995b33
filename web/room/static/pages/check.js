// Three short checks while waiting, one question a page: do you see yourself, does the bar move, do you hear.
// A no leads to one thing to try, and to Help.

import { app } from "../app.js";
import { button, h, heading, setHidden, setText } from "../dom.js";
import { t } from "../texts.js";
import { levelBar, mirror } from "./mirror.js";
import { outputChoice, playTone, volumeButtons } from "./sound.js";

const STEPS = ["picture", "microphone", "sound"];

export function check() {
  let step = Math.max(0, STEPS.indexOf(app.local.step));
  let failed = false;
  const own = mirror(t("waiting.self"));
  const level = levelBar();
  const outputs = outputChoice();
  const title = heading("");
  const advice = h("p", { class: "next", role: "status", "data-advice": "" });
  const frame = h("div", { class: "frame" }, own.video);
  const tone = button({ label: t("waiting.tone"), iconName: "tone", data: { action: "tone" }, press: playTone });
  const sound = h("div", { class: "tests" }, tone, ...volumeButtons(), outputs.element);
  const yes = button({ label: t("check.yes"), look: "main", data: { action: "check-yes" }, press: () => go(step + 1) });
  const no = button({ label: t("check.no"), look: "main calm", data: { action: "check-no" }, press: () => { failed = true; draw(); } });
  const back = () => app.set({ aside: null });

  function go(next) {
    if (next >= STEPS.length) { back(); return; }
    step = next;
    failed = false;
    draw();
    title.focus({ preventScroll: true });
  }

  function draw() {
    const texts = words(STEPS[step]);
    document.querySelector(".check")?.setAttribute("data-step", STEPS[step]);
    setText(title, failed ? texts.advice : texts.question);
    setText(advice, failed ? t("check.help") : t("check.which", { step: step + 1, steps: STEPS.length }));
    setText(yes.querySelector(".label"), failed ? t("check.works") : t("check.yes"));
    setHidden(no, failed);
    setHidden(frame, STEPS[step] !== "picture");
    setHidden(level.element, STEPS[step] !== "microphone");
    setHidden(sound, STEPS[step] !== "sound");
  }

  return {
    main: [h("div", { class: "check", "data-step": STEPS[0] }, h("div", { class: "words" }, title, advice),
      h("div", { class: "shown" }, frame, level.element, sound),
      h("div", { class: "answers" }, yes, no))],
    foot: [button({ label: t("check.back"), iconName: "back", look: "quiet", data: { action: "back" }, press: back })],
    update() {
      outputs.update();
      draw();
    },
    level: level.show,
    unmount: () => own.remove(),
  };
}

function words(step) {
  switch (step) {
    case "picture": return { question: t("check.picture"), advice: t("check.picture_no") };
    case "microphone": return { question: t("check.microphone"), advice: t("check.microphone_no") };
    default: return { question: t("check.sound"), advice: t("check.sound_no") };
  }
}
