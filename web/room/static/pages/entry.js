// A page that asks for digits: the code from the letter, or staff's PIN. Five wrong tries pause it.

import { app } from "../app.js";
import { button, h, heading, setText } from "../dom.js";
import { keypad } from "../keypad.js";
import { countdown, t } from "../texts.js";

export function entry({ question, hint, action, kind, fields = {}, length, shortest, secret, lock, back }) {
  let told = null;
  const message = h("p", { class: "message", role: "alert", "data-message": "" });
  const go = button({ label: action, look: "main", data: { touch: kind }, press: send });
  const pad = keypad({ length, shortest, secret, changed: edited, done: send });
  pad.draw();

  function edited(can) {
    go.toggleAttribute("disabled", !can);
    if (!pad.digits) return;
    told = null;
    update();
  }

  async function send() {
    if (go.disabled) return;
    const outcome = await app.touch(kind, { ...fields, text: pad.digits }, go);
    if (!outcome) return;
    pad.clear();
    told = outcome.ok ? null : outcome;
    update();
  }

  function pausedFor() {
    const until = [lock(app.screen)?.until, told?.lock?.until].filter(Boolean).map((text) => Date.parse(text));
    return Math.max(0, ...until.map((moment) => moment - app.now()));
  }

  function update() {
    const pause = pausedFor();
    pad.shut(pause > 0);
    // Counting down aloud each second would drown everything else for who listens to the screen.
    message.setAttribute("aria-live", pause > 0 ? "off" : "assertive");
    message.dataset.message = told?.refusal ?? (pause > 0 ? "paused" : "");
    message.classList.toggle("wrong", Boolean(told) || pause > 0);
    const justPaused = told && ["locked", "pin_locked"].includes(told.refusal);
    if (pause > 0) setText(message, t("paused", { time: countdown(pause) }));
    else setText(message, told && !justPaused ? app.sentence(told) : hint);
  }

  return {
    main: [h("div", { class: "entry" }, heading(question), pad.boxes, message, go)],
    pad: [pad.keys],
    foot: [button({ label: t("back"), iconName: "back", look: "quiet", data: { action: "back" }, press: back })],
    update,
    key: (event) => pad.typed(event),
  };
}
