// One of the day's sessions: what can be done with it as it is now, and a page of its own for each question.

import { app } from "../app.js";
import { button, h, heading, setHidden, setText } from "../dom.js";
import { clock, t, tOf } from "../texts.js";
import { backButton, go, held, lockButton, pager, place, sessionNow, stateOf, teller, which } from "./staff_frame.js";

const STEPS_MIN = [5, 10, 15];
const MINUTE_MS = 60_000;
const MAY_CHECK_IN = ["booked", "ready"];
const MAY_HAND_OVER = ["booked", "ready", "waiting"];
const IN_MEETING = ["admitted", "in_call"];

// A page about a session that is gone has nothing to say: the list comes back.
function about(build) {
  return () => {
    const page = build(sessionNow());
    return { ...page, update() {
      const now = sessionNow();
      if (page.told?.update()) return;
      if (now) page.update?.(now);
      else if (place().view !== "list") queueMicrotask(() => go("list"));
    } };
  };
}

const title = (now) => (now ? which(now) : "");

export const session = about((first) => {
  const told = teller();
  const state = h("p", { class: "next", "data-state": "" });
  const heads = heading(title(first));
  const actions = h("div", { class: "actions" });
  let drawn = "";
  return {
    main: [h("div", { class: "staff one" }, heads, state, actions, told.element)],
    foot: [backButton(), lockButton()],
    update(now) {
      setText(heads, title(now));
      state.dataset.state = now.state;
      setText(state, stateOf(now));
      const key = JSON.stringify([now.state, now.taken, held()?.sid, app.screen.rooms.length]);
      if (key === drawn) return;
      drawn = key;
      actions.replaceChildren(...actionsOf(now, told));
    },
  };
});

function actionsOf(now, told) {
  const inRoom = held();
  const found = [];
  const act = (label, look, data, press) => found.push(button({ label, look, data, press }));
  if (MAY_CHECK_IN.includes(now.state) && !inRoom) {
    const kind = now.state === "ready" ? "staff_checkin" : "staff_start";
    act(now.state === "ready" ? t("staff.checkin") : t("staff.start"), "main", { touch: kind, sid: now.sid },
      (it) => told.ask(kind, { sid: now.sid }, it, () => go("list")));
  }
  if (IN_MEETING.includes(now.state)) act(t("staff.extend"), "main", { view: "extend" }, () => go("extend"));
  if (now.state === "waiting") {
    act(t("staff.let_out"), "", { touch: "staff_end", sid: now.sid },
      (it) => told.ask("staff_end", { sid: now.sid }, it, () => go("list", {}, t("staff.left"))));
    act(t("staff.extend"), "", { view: "extend" }, () => go("extend"));
  }
  if (MAY_HAND_OVER.includes(now.state)) {
    act(t("staff.hand_over"), inRoom && inRoom.sid !== now.sid ? "main" : "", { view: "rooms" }, () => go("rooms"));
  }
  if (IN_MEETING.includes(now.state)) act(t("staff.end"), "stop", { view: "end" }, () => go("end"));
  return found;
}

export const extend = about((first) => {
  const told = teller();
  const until = h("p", { class: "next" });
  const follows = h("p", { class: "next" });
  const steps = h("div", { class: "actions" });
  let drawn = "";
  const step = (minutes) => button({ label: t("staff.minutes", { minutes }), look: "main", data: { touch: "staff_extend", minutes },
    press: (it) => {
      const { sid, ref } = sessionNow() ?? { sid: place().sid, ref: "" }; // they may be on another's page by then
      return told.ask("staff_extend", { sid, text: String(minutes) }, it, () => go("list", {}, t("staff.extended", { ref })));
    } });
  return {
    told,
    main: [h("div", { class: "staff one" }, heading(t("staff.extend_question")), until, follows, steps, told.element)],
    foot: [backButton(() => go("session")), lockButton()],
    update(now) {
      setText(until, t("staff.until", { ref: now.ref, time: clock(Date.parse(now.end)) }));
      const next = following(now);
      if (next) setText(follows, t("staff.next_at", { time: clock(Date.parse(next.start)) }));
      const { staff_offer: offered } = app.screen;
      const choices = offered && !STEPS_MIN.includes(offered) ? [offered, ...STEPS_MIN] : STEPS_MIN;
      const free = next ? Math.floor((Date.parse(next.start) - Math.max(Date.parse(now.end), app.now())) / MINUTE_MS) : Infinity;
      // What the next visit leaves no room for is not offered; if that is all, less is.
      const possible = choices.filter((minutes) => minutes <= free);
      const shown = possible.length ? possible : free >= 1 ? [free] : [];
      setHidden(until, !shown.length);
      setHidden(follows, !next || !shown.length);
      const key = JSON.stringify(shown);
      if (key === drawn) return;
      drawn = key;
      steps.replaceChildren(...(shown.length ? shown.map(step) : [h("p", { class: "next", text: t("staff.no_time") }),
        button({ label: t("staff.move_next", { ref: next.ref }), look: "main", data: { view: "rooms", sid: next.sid },
          press: () => go("rooms", { sid: next.sid }) })]));
    },
  };
});

function following(now) {
  return app.screen.staff_sessions.find((each) => MAY_CHECK_IN.includes(each.state) && each.start > now.start);
}

export const handOver = about((first) => {
  const told = teller();
  const rooms = pager({ columns: 2, reserve: 44, look: "places" });
  const none = h("p", { class: "next", text: t("staff.no_rooms") });
  return {
    told,
    main: [h("div", { class: "staff one" }, heading(t("staff.hand_over_question", { ref: first?.ref ?? "" })), rooms.element, none, told.element)],
    foot: [backButton(() => go("session")), lockButton()],
    update(now) {
      setHidden(none, app.screen.rooms.length > 0);
      rooms.show(app.screen.rooms, JSON.stringify(app.screen.rooms), (room) => button({ label: room.name,
        data: { touch: "staff_hand_over", room: room.id },
        press: (it) => told.ask("staff_hand_over", { sid: now.sid, text: room.id }, it,
          () => go("list", {}, t("staff.handed_over", { ref: now.ref, room: room.name }))) }));
    },
  };
});

export const endSession = about((first) => {
  const told = teller();
  return {
    main: [h("div", { class: "staff one" }, heading(t("staff.end_question", { ref: first?.ref ?? "" })),
      h("div", { class: "actions" },
        button({ label: t("staff.end_no"), look: "main", data: { action: "stay" }, press: () => go("session") }),
        button({ label: t("staff.end_yes"), look: "main stop", data: { touch: "staff_end" },
          press: (it) => told.ask("staff_end", { sid: place().sid }, it, () => go("list")) })),
      told.element)],
    foot: [lockButton()],
  };
});

// Staff beside the patient lead the meeting: who waits outside, and the lead given back.
export function lead() {
  const told = teller();
  const list = h("div", { class: "lobby" });
  let drawn = "";
  const answer = (kind, label, look, knock) => button({ label, look, data: { touch: kind, peer: knock.peer },
    name: `${label} ${roleOf(knock)}`, press: (it) => told.ask(kind, { text: knock.peer }, it, () => told.say("", "")) });
  return {
    main: [h("div", { class: "staff one" }, heading(t("staff.lead")), list, told.element,
      button({ label: t("staff.chair_back"), data: { touch: "chair_back" },
        press: (it) => told.ask("chair_back", {}, it, () => go("list")) }))],
    foot: [backButton(), lockButton()],
    update() {
      const knocks = app.screen.session?.lobby ?? [];
      const key = JSON.stringify(knocks);
      if (key === drawn) return;
      drawn = key;
      list.replaceChildren(...(knocks.length ? knocks.map((knock) => h("div", { class: "knock" },
        h("p", { class: "next", text: roleOf(knock) }),
        answer("party_admit", t("staff.admit"), "main", knock),
        answer("party_reject", t("staff.reject"), "", knock))) : [h("p", { class: "next", text: t("staff.lobby_empty") })]));
    },
  };
}

function roleOf(knock) {
  return `${tOf("role", knock.role, knock.role)}, ${tOf("identified", knock.identified, knock.identified)}`;
}
