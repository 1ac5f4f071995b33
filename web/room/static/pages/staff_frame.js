// What staff's pages have in common: where one is among them, the way back, and what became of the last touch.

import { app } from "../app.js";
import { button, h, setText } from "../dom.js";
import { clock, t, tOf } from "../texts.js";

const LIST = { view: "list", sid: null, member: null };

// Where staff are: `view` is a page, `sid` the session it is about, `member` who is about to unlock.
export function place() {
  return app.local.staff ?? LIST;
}

// Go to one of staff's pages. Who walks about is still there: the screen does not lock itself yet.
export function go(view, more = {}, message = "") {
  if (app.local.page === "staff" && app.unlocked) app.touch("still_here");
  app.set({ staff: { ...place(), ...more, view }, message });
}

export function sessionNow() {
  return app.screen.staff_sessions.find((session) => session.sid === place().sid);
}

// The session whose patient is in the room.
export function held() {
  return app.screen.staff_sessions.find((session) => ["waiting", "admitted", "in_call"].includes(session.state));
}

export function which(session) {
  return `${clock(Date.parse(session.start))}–${clock(Date.parse(session.end))}  ${session.ref}`;
}

export function stateOf(session) {
  return session.taken ? t("staff.taken") : tOf("state", session.state, session.state);
}

// A line that says what went wrong, or what was done; `ask` touches and says it. What the region answers only later
// comes with the document: `update` says that, true if the page is left for it.
export function teller() {
  const element = h("p", { class: "message", role: "alert", "data-message": "" });
  let late = null;
  return {
    element,
    say(name, text) {
      element.dataset.message = name;
      setText(element, text);
    },
    async ask(kind, fields, pressed, done) {
      const since = performance.now();
      const outcome = await app.touch(kind, fields, pressed);
      if (!outcome) return;
      // Who has gone on to another page, or away, is not fetched back from there; the list has a line for it.
      if (!element.isConnected && !(app.local.page === "staff" && place().view === "list")) return;
      late = outcome.pending ? { done, since } : null;
      if (late) this.say("asked", t("staff.asked"));
      else if (outcome.ok) done();
      else this.say(outcome.refusal ?? "failed", refusalWords(outcome));
      this.update();
    },
    update() {
      const { staff_answer: answer, staff_offer: minutes } = app.screen;
      if (!late || app.receivedAt < late.since || ["", "asked"].includes(answer)) return false;
      const { done } = late;
      late = null;
      if (answer === "done") queueMicrotask(done); // it draws the page anew, which is being drawn
      else this.say(answer, refusalWords({ refusal: answer, minutes }));
      return answer === "done";
    },
  };
}

function refusalWords({ refusal, minutes }) {
  const words = tOf("staff_refusal", refusal, tOf("refusal", refusal, t("failed")));
  return refusal === "next_in_way" && minutes ? `${words} ${t("staff.offer", { minutes })}` : words;
}

export function backButton(press = () => go("list")) {
  return button({ label: t("back"), iconName: "back", look: "quiet", data: { action: "back" }, press });
}

// Out of staff's pages. What lies beneath, a meeting perhaps, is there again.
export function lockButton() {
  return button({ label: t("staff.lock"), iconName: "lock", look: "far", data: { touch: "staff_lock" }, press: () => app.home() });
}

// As many large buttons as the glass has room for, and one for the next ones. `made` is called again only when
// what is to be shown has changed.
export function pager({ columns = 1, reserve, look = "" }) {
  const element = h("div", { class: `pager ${look}` });
  let page = 0;
  let drawn = "";
  let items = [];
  let make = () => null;

  function perPage() {
    const mm = Number.parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--mm"));
    return Math.max(2, Math.floor((innerHeight / mm - reserve) / 19.3)) * columns;
  }

  function draw() {
    const room = perPage();
    const many = items.length > room;
    const step = many ? room - 1 : room;
    const pages = Math.max(1, Math.ceil(items.length / step));
    page %= pages;
    const shown = items.slice(page * step, page * step + step).map(make);
    const more = many ? [button({ label: t("staff.more", { page: page + 1, pages }), look: "quiet", data: { action: "more" },
      press: () => { page += 1; draw(); } })] : [];
    element.style.setProperty("--columns", columns);
    element.replaceChildren(...shown, ...more);
  }

  return {
    element,
    show(all, key, build) {
      if (key === drawn) return;
      drawn = key;
      items = all;
      make = build;
      draw();
    },
  };
}
