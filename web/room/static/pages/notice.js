// Pages that tell one thing: starting, in a queue, on hold, turned away, and each fault.

import { app } from "../app.js";
import { button, h, heading, setText } from "../dom.js";
import { languageControl } from "../language.js";
import { clock, t } from "../texts.js";
import { staffButton } from "./idle.js";
import { leaveButton } from "./waiting.js";

export function loading() {
  return { main: [h("div", { class: "notice" }, heading(t("loading")))] };
}

export function queue() {
  const place = heading("");
  const name = h("p", { class: "next", "data-queue": "" });
  return {
    main: [h("div", { class: "notice" }, name, place, h("p", { class: "next", text: t("queue.next") }))],
    foot: [languageControl(), staffButton()],
    update() {
      const { queue: now } = app.screen;
      if (!now) return;
      setText(name, t("queue.name", { name: now.name, time: clock(Date.parse(now.since)) }));
      setText(place, now.place === null ? t("queue.asked") : now.place === 1 ? t("queue.first") : t("queue.place", { place: now.place }));
    },
  };
}

export function hold() {
  return {
    main: [h("div", { class: "notice" }, heading(t("hold.title")), h("p", { class: "next", text: t("hold.more") }))],
    foot: [leaveButton()],
  };
}

export function rejected() {
  const done = button({ label: t("rejected.done"), look: "far", data: { touch: "done" }, press: (it) => app.touch("done", {}, it) });
  return {
    main: [h("div", { class: "notice" }, heading(t("rejected.title")), h("p", { class: "next", text: t("rejected.more") }))],
    foot: [done],
  };
}

// The unit is being taken out of service, or was: there is nothing to press.
export function halted() {
  const gone = app.screen.halted === "wiped";
  const [title, more] = gone ? [t("halted.wiped"), t("halted.wiped_more")] : [t("halted.wiping"), t("halted.wiping_more")];
  return { main: [h("div", { class: "notice" }, heading(title), h("p", { class: "next", text: more }))] };
}

export function fault() {
  const title = heading("");
  const phone = h("p", { class: "next" });
  return {
    main: [h("div", { class: "notice" }, title, phone)],
    foot: [languageControl(), staffButton()],
    update() {
      const { faults, phone: number } = app.screen;
      const closed = faults.includes("certificate");
      const broken = closed ? "certificate" : ["camera", "microphone"].find((part) => faults.some((name) => name === part || name.startsWith(`${part}_`))) ?? "video";
      document.body.dataset.fault = broken;
      setText(title, closed ? t("fault.closed") : broken === "camera" ? t("fault.camera") : broken === "microphone" ? t("fault.microphone") : t("fault.title"));
      setText(phone, closed ? t("fault.closed_more", { phone: number }) : t("fault.phone", { phone: number }));
    },
    unmount() {
      delete document.body.dataset.fault;
    },
  };
}
