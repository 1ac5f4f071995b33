// Pages that only tell: starting, the end, and the fault.

import { app } from "../app.js";
import { button, h, heading } from "../dom.js";
import { languageControl } from "../language.js";
import { t } from "../texts.js";

const ENDED_SHOWN_MS = 20_000;

export function loading() {
  return { main: [h("div", { class: "notice" }, heading(t("loading")))] };
}

export function ended() {
  const shownFrom = performance.now();
  let asked = false;
  const done = button({ label: t("ended.done"), look: "main", data: { touch: "done" }, press: (it) => app.touch("done", {}, it) });
  return {
    main: [h("div", { class: "notice" }, heading(t("ended.title")), done)],
    update() {
      if (asked || performance.now() - shownFrom < ENDED_SHOWN_MS) return;
      asked = true;
      app.touch("done");
    },
  };
}

export function fault() {
  return {
    main: [h("div", { class: "notice" }, heading(t("fault.title")),
      h("p", { class: "next", text: t("fault.phone", { phone: app.screen.phone }) }))],
    foot: [languageControl(),
      button({ label: t("idle.staff"), iconName: "lock", look: "quiet far", data: { action: "staff" },
        press: () => app.set({ page: "staff", message: "" }) })],
  };
}
