// Staff at the screen: the day's times by ref, check in, start, and what is not well with the room.

import { app } from "../app.js";
import { button, h, heading, setText } from "../dom.js";
import { clock, t, tOf } from "../texts.js";
import { entry } from "./entry.js";

const PIN_DIGITS = { shortest: 4, longest: 8 };
const MAY_CHECK_IN = ["booked", "ready"];
const MAY_START = ["booked", "ready", "waiting"];

export function pin() {
  return entry({
    question: t("staff.pin"),
    hint: t("staff.pin_hint"),
    action: t("staff.unlock"),
    kind: "staff_unlock",
    length: PIN_DIGITS.longest,
    shortest: PIN_DIGITS.shortest,
    secret: true,
    lock: (screen) => screen.pin_lock,
    back: () => app.home(),
  });
}

export function staff() {
  const list = h("ul", { class: "sessions" });
  const message = h("p", { class: "message", role: "alert", "data-message": "" });
  const room = h("ul", { class: "faults" });
  let drawn = "";

  async function ask(kind, sid, pressed) {
    const outcome = await app.touch(kind, sid ? { sid } : {}, pressed);
    if (!outcome) return;
    message.dataset.message = outcome.refusal ?? "";
    setText(message, outcome.ok ? "" : app.sentence(outcome));
  }

  const act = (kind, label, session, look) => button({ label, look, data: { touch: kind, sid: session.sid },
    name: `${label} ${clock(Date.parse(session.start))} ${session.ref}`, press: (it) => ask(kind, session.sid, it) });
  const row = (session) => h("li", { "data-sid": session.sid, "data-state": session.state },
    h("p", { class: "which" },
      h("span", { class: "when", text: clock(Date.parse(session.start)) }),
      h("span", { class: "ref", text: session.ref }),
      h("span", { class: "soft state", text: tOf("state", session.state, session.state) })),
    MAY_CHECK_IN.includes(session.state) ? act("staff_checkin", t("staff.checkin"), session, "") : null,
    MAY_START.includes(session.state) ? act("staff_start", t("staff.start"), session, "main") : null);

  return {
    main: [h("div", { class: "staff" },
      h("div", { class: "day" }, heading(t("staff.title")), list),
      h("div", { class: "side" },
        button({ label: t("staff.dropin"), look: "main", data: { touch: "staff_start" }, press: (it) => ask("staff_start", null, it) }),
        message, room))],
    foot: [button({ label: t("staff.lock"), iconName: "lock", look: "far", data: { touch: "staff_lock" }, press: () => app.reset() })],
    update() {
      const { screen } = app;
      const key = JSON.stringify([screen.staff_sessions, screen.faults, screen.ready, screen.region_up]);
      if (key === drawn) return;
      drawn = key;
      const rows = screen.staff_sessions.map(row);
      list.replaceChildren(...(rows.length ? rows : [h("li", { class: "none", text: t("staff.none") })]));
      room.replaceChildren(...conditions(screen).map((text) => h("li", { text })));
    },
  };
}

function conditions(screen) {
  const lines = screen.faults.map((name) => tOf("instruction", name, t("instruction.other", { name })));
  if (lines.length) lines.unshift(t("staff.faults"));
  else lines.push(screen.ready ? t("staff.well") : t("staff.untested"));
  if (!screen.region_up) lines.push(t("staff.region_down"));
  return lines;
}
