// Checked in: nothing more to do, and nothing here times out.

import { app } from "../app.js";
import { button, h, heading, setText } from "../dom.js";
import { languageControl } from "../language.js";
import { clock, t, tOf } from "../texts.js";

const FLOOR_DBFS = -60;

export function waiting() {
  const video = h("video", { playsinline: true, autoplay: true, "data-media": "self", "aria-label": t("waiting.self") });
  video.muted = true;
  const meets = h("p", { class: "next", "data-meets": "" });
  const time = h("p", { class: "next" });
  const late = h("p", { class: "note", role: "status", "data-late": "" });
  const bar = h("span", { class: "level-bar" });
  const level = h("div", { class: "level", "data-level": "", "aria-hidden": "true" }, bar);
  app.media.attach("self", video);
  return {
    main: [h("div", { class: "waiting" },
      h("div", { class: "words" }, heading(t("waiting.title")), meets, time, late),
      h("div", { class: "mirror" }, h("div", { class: "frame" }, video), level, h("p", { class: "soft", text: t("waiting.level") })))],
    foot: [languageControl(), leaveButton()],
    update() {
      const { session } = app.screen;
      const role = tOf("role", session.meets, session.meets);
      setText(meets, t("waiting.meets", { role, clinic: session.clinic }));
      setText(time, t("waiting.time", { time: clock(Date.parse(session.start)) }));
      setText(late, session.late ? t("waiting.late") : "\u00a0");
      late.classList.toggle("empty", !session.late);
    },
    level(decibels) {
      const share = Math.min(1, Math.max(0, 1 - decibels / FLOOR_DBFS));
      bar.style.transform = `scaleX(${share.toFixed(3)})`;
      level.dataset.level = share.toFixed(2);
    },
    unmount: () => app.media.detach("self"),
  };
}

export function leaveButton() {
  return button({ label: t("leave"), iconName: "leave", look: "stop far", data: { action: "leave" },
    press: () => app.set({ ask: "leave" }) });
}
