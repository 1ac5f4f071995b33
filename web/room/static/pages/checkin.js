// Check-in, one question a page: which time is yours, or the code from the letter.

import { app } from "../app.js";
import { button, h, heading, setText } from "../dom.js";
import { clock, t } from "../texts.js";
import { entry } from "./entry.js";

const CODE_DIGITS = 6;

export function choose() {
  const list = h("div", { class: "choices" });
  const message = h("p", { class: "message", role: "alert", "data-message": "" });
  let drawn = "";

  async function checkIn(session, pressed) {
    const outcome = await app.touch("checkin_button", { sid: session.sid }, pressed);
    if (!outcome) return;
    message.dataset.message = outcome.refusal ?? "";
    setText(message, outcome.ok ? "" : app.sentence(outcome));
  }

  return {
    main: [h("div", { class: "choose" }, heading(t("checkin.choose")), message, list)],
    foot: [button({ label: t("back"), iconName: "back", look: "quiet", data: { action: "back" }, press: () => app.home() })],
    update() {
      const sessions = app.screen.can_check_in.filter((session) => session.methods.includes("button"));
      const key = JSON.stringify(sessions);
      if (key === drawn) return;
      drawn = key;
      const times = sessions.map((session) => button({
        label: t("checkin.by_time", { time: clock(Date.parse(session.start)) }), look: "main huge",
        data: { touch: "checkin_button", sid: session.sid }, press: (pressed) => checkIn(session, pressed) }));
      list.replaceChildren(...times, button({ label: t("checkin.by_code"), data: { action: "code" },
        press: () => app.set({ page: "checkin-code" }) }));
    },
  };
}

export function code() {
  return entry({
    question: t("checkin.code"),
    hint: t("checkin.no_code"),
    action: t("checkin.done"),
    kind: "checkin_code",
    length: CODE_DIGITS,
    shortest: CODE_DIGITS,
    lock: (screen) => screen.code_lock,
    back: () => app.home(),
  });
}
