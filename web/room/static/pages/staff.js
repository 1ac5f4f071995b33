// Staff at the screen: who they are, their PIN, and the day's times. What is done with one of them: staff_session.js.

import { app } from "../app.js";
import { button, h, heading, setHidden, setText } from "../dom.js";
import { t } from "../texts.js";
import { entry } from "./entry.js";
import { backButton, go, held, lockButton, pager, place, stateOf, which } from "./staff_frame.js";
import { endSession, extend, handOver, lead, session } from "./staff_session.js";
import { health, queues } from "./staff_room.js";

const PIN_DIGITS = { shortest: 4, longest: 8 };
const VIEWS = { session, extend, rooms: handOver, end: endSession, lead, queue: queues, health };

export const STAFF_PAGES = { "staff-who": who, "staff-pin": pin, staff: day,
  ...Object.fromEntries(Object.entries(VIEWS).map(([name, page]) => [`staff-${name}`, page])) };

// Which of staff's pages is shown now.
export function staffPage() {
  const { view, member } = place();
  if (!app.unlocked) return app.screen.staff.length && !chosen(member) ? "staff-who" : "staff-pin";
  return view in VIEWS ? `staff-${view}` : "staff";
}

function chosen(member) {
  return app.screen.staff.find((each) => each.id === member);
}

function who() {
  const list = pager({ columns: 3, reserve: 28, look: "people" });
  return {
    main: [h("div", { class: "staff one" }, heading(t("staff.who")), list.element)],
    foot: [backButton(() => app.home())],
    update() {
      list.show(app.screen.staff, JSON.stringify(app.screen.staff), (each) => button({ label: each.name, look: "person",
        data: { member: each.id }, press: () => go("list", { member: each.id }) }));
    },
  };
}

function pin() {
  const member = chosen(place().member);
  return entry({
    question: member ? t("staff.own_pin", { name: member.name }) : t("staff.pin"),
    hint: t("staff.pin_hint"),
    action: t("staff.unlock"),
    kind: "staff_unlock",
    fields: member ? { by: member.id } : {},
    length: PIN_DIGITS.longest,
    shortest: PIN_DIGITS.shortest,
    secret: true,
    lock: (screen) => screen.pin_lock,
    back: () => (member ? go("list", { member: null }) : app.home()),
  });
}

function day() {
  const list = pager({ columns: 2, reserve: 28, look: "times" });
  const none = h("p", { class: "none", text: t("staff.none") });
  const message = h("p", { class: "message done", role: "status", "data-message": "" });
  const room = button({ label: t("staff.room"), data: { view: "health" }, press: () => go("health") });
  const dropin = button({ label: t("staff.dropin"), look: "main", data: { view: "queue" }, press: () => go("queue") });
  const lobby = button({ label: t("staff.lead"), data: { view: "lead" }, press: () => go("lead") });
  return {
    main: [h("div", { class: "staff" },
      h("div", { class: "day" }, heading(t("staff.title")), list.element, none),
      h("div", { class: "side" }, dropin, lobby, room, message,
        h("p", { class: "soft locks", text: locks() })))],
    foot: [lockButton()],
    update() {
      const { screen } = app;
      const sessions = screen.staff_sessions;
      list.show(sessions, JSON.stringify(sessions), (each) => row(each));
      setHidden(none, sessions.length > 0);
      setHidden(lobby, !screen.session?.chair_here);
      setText(message, app.local.message || (screen.region_up ? "" : t("staff.region_down")));
      const unwell = screen.faults.length > 0 || !screen.ready;
      room.classList.toggle("attention", unwell);
      setText(room.querySelector(".label"), unwell ? t("staff.room_faults") : t("staff.room"));
      dropin.toggleAttribute("disabled", Boolean(held()));
    },
  };
}

function locks() {
  const member = app.screen.staff_member;
  return member ? t("staff.as", { name: member.name }) : t("staff.locks");
}

function row(each) {
  const made = button({ label: which(each), look: each.taken ? "time attention" : "time",
    data: { session: each.sid, state: each.state }, name: `${which(each)} ${stateOf(each)}`,
    // Who waits for a room that is taken needs another one: that is one touch from here.
    press: () => go(each.taken && app.screen.rooms.length ? "rooms" : "session", { sid: each.sid }) });
  made.append(h("span", { class: "state", text: stateOf(each) }));
  return made;
}
