// Check-in, one question a page: which time is yours, or what have you with you, or the code from the letter.

import { app } from "../app.js";
import { button, h, heading, setHidden, setText } from "../dom.js";
import { clock, t } from "../texts.js";
import { entry } from "./entry.js";

const CODE_DIGITS = 6;
const BLIND = ["camera", "camera_frozen", "camera_slow", "camera_covered"]; // no code can be read then

// The ways in that are open now. The code always is: a session not yet told of here is refused with the reason.
function ways(screen) {
  const methods = screen.can_check_in.flatMap((session) => session.methods);
  return {
    times: screen.can_check_in.filter((session) => session.methods.includes("button")),
    qr: methods.includes("qr") && !screen.faults.some((name) => BLIND.includes(name)),
  };
}

export function firstStep(screen) {
  const { times, qr } = ways(screen);
  return times.length || qr ? "checkin-choose" : "checkin-code";
}

export function choose() {
  const list = h("div", { class: "choices" });
  const message = h("p", { class: "message", role: "alert", "data-message": "" });
  const again = h("p", { class: "next", "data-again": "" });
  let drawn = "";

  async function checkIn(session, pressed) {
    const outcome = await app.touch("checkin_button", { sid: session.sid }, pressed);
    if (!outcome) return;
    message.dataset.message = outcome.refusal ?? "";
    setText(message, outcome.ok ? "" : app.sentence(outcome));
  }

  return {
    main: [h("div", { class: "choose" }, heading(t("checkin.choose")), again, message, list)],
    foot: [button({ label: t("back"), iconName: "back", look: "quiet", data: { action: "back" }, press: () => app.home() })],
    update() {
      const { times, qr } = ways(app.screen);
      const [mineNow] = times;
      const isAsked = Boolean(app.screen.asked_page?.again && mineNow);
      setHidden(again, !isAsked);
      setText(again, isAsked ? t("checkin.again", { time: clock(Date.parse(mineNow.start)) }) : "");
      const key = JSON.stringify([times, qr]);
      if (key === drawn) return;
      drawn = key;
      const go = (page) => () => app.set({ page });
      const mine = times.map((session) => button({
        label: t("checkin.by_time", { time: clock(Date.parse(session.start)) }), look: "main huge",
        data: { touch: "checkin_button", sid: session.sid }, press: (pressed) => checkIn(session, pressed) }));
      list.replaceChildren(...mine,
        ...(qr ? [button({ label: t("checkin.by_qr"), iconName: "scan", look: times.length ? "half" : "main huge",
          data: { action: "scan" }, press: go("checkin-scan") })] : []),
        button({ label: t("checkin.by_code"), look: times.length ? (qr ? "half" : "whole") : "main huge",
          data: { action: "code" }, press: go("checkin-code") }));
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
