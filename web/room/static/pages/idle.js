// Nobody has a session here: which room it is, what time it is, what comes next, and one thing to press.

import { app } from "../app.js";
import { button, h, heading, setText } from "../dom.js";
import { languageControl } from "../language.js";
import { clock, longDate, t } from "../texts.js";
import { firstStep } from "./checkin.js";

export function idle() {
  const name = heading("");
  const time = h("p", { class: "big-clock" });
  const date = h("p", { class: "soft date" });
  const next = h("p", { class: "next", "data-next": "" });
  const note = h("p", { class: "note empty", role: "status" });
  const label = h("span", { class: "label", text: t("idle.message") });
  const words = h("span", {});
  const message = h("p", { class: "from-it", role: "status", "data-message": "", hidden: true }, label, words);
  const start = button({ label: t("idle.start"), look: "main huge", data: { action: "checkin" },
    press: () => app.set({ page: firstStep(app.screen), message: "" }) });
  return {
    main: [h("div", { class: "idle" }, name, h("div", { class: "times" }, time, date), next, start, message, note)],
    foot: [languageControl(), staffButton()],
    update() {
      const { screen } = app;
      setText(name, screen.room_name);
      setText(time, clock(app.now()));
      setText(date, longDate(app.now()));
      const coming = screen.next_session;
      setText(next, coming ? t("idle.next", { time: clock(Date.parse(coming.start)), ref: coming.ref }) : t("idle.none"));
      setText(words, screen.message ?? "");
      message.hidden = !screen.message;
      note.hidden = Boolean(screen.message) && !screen.faults.length && screen.region_up;
      const trouble = screen.faults.length && !screen.ready ? t("idle.faults") : screen.region_up ? "" : t("idle.region_down");
      setText(note, trouble || "\u00a0");
      note.classList.toggle("empty", !trouble);
    },
  };
}

export function staffButton() {
  return button({ label: t("idle.staff"), iconName: "lock", look: "quiet far", data: { action: "staff" },
    press: () => app.set({ page: "staff", message: "" }) });
}
