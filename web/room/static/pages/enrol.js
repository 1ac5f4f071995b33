// The unit has no certificate yet: its serial number, its key's words and a code to read, and what to do now.

import { app } from "../app.js";
import { button, h, heading, setHidden, setText } from "../dom.js";
import { languageControl } from "../language.js";
import { t, tOf } from "../texts.js";

const SVG = "http://www.w3.org/2000/svg";
const QUIET = 4; // modules of white around a code (ISO/IEC 18004, section 9.1)
const WITH_REASON = ["rejected", "unusable"];
const MAY_TRY_AGAIN = ["silent", "rejected", "expired", "conflict", "unusable", "unproven"];

// Why there is no connection says more than that there is none.
export function enrolState() {
  const { state, problem } = app.screen.enrol;
  return state === "connecting" && problem ? problem : state;
}

export function enrolTitle(state) {
  return tOf("enrol_state", state, t("enrol_state.connecting"));
}

export function enrolAdvice(state) {
  return tOf("enrol_do", state, t("enrol_do.refused"));
}

function drawing(qr) {
  const svg = document.createElementNS(SVG, "svg");
  const whole = qr.size + 2 * QUIET;
  svg.setAttribute("viewBox", `${-QUIET} ${-QUIET} ${whole} ${whole}`);
  svg.setAttribute("shape-rendering", "crispEdges");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", t("enrol.qr"));
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", qr.path);
  svg.append(path);
  return svg;
}

// What two people read to each other; Swedish in every language, since IT sees the same.
export function identityLines(enrol) {
  const words = h("ol", { class: "key-words", lang: "sv", dir: "ltr", "data-words": "" },
    ...enrol.words.map((word) => h("li", { text: word })));
  return [
    h("p", { class: "soft", text: t("enrol.serial") }),
    h("p", { class: "serial", dir: "ltr", "data-serial": "", text: enrol.serial || "–" }),
    h("p", { class: "soft", text: t("enrol.words") }),
    words,
  ];
}

export function enrol() {
  const title = heading("");
  const advice = h("p", { class: "next" });
  const reason = h("p", { class: "soft reason", dir: "auto" });
  const figure = h("div", { class: "code" });
  const lines = h("div", { class: "identity" });
  const again = button({ label: t("enrol.again"), look: "calm far", data: { touch: "enrol_again" },
    press: (it) => app.ask("enrol_again", {}, it) });
  let shown = "";
  return {
    main: [h("div", { class: "enrol" }, h("div", { class: "words" }, title, advice, reason), figure, lines)],
    foot: [languageControl(), again],
    update() {
      const { enrol: now } = app.screen;
      if (!now) return;
      const state = enrolState();
      document.body.dataset.enrol = state;
      setText(title, enrolTitle(state));
      setText(advice, enrolAdvice(state));
      setText(reason, now.reason && WITH_REASON.includes(state) ? t("enrol.reason", { reason: now.reason }) : "");
      setHidden(reason, !reason.textContent);
      setHidden(again, !MAY_TRY_AGAIN.includes(state));
      const key = `${now.serial} ${now.words.join(" ")}`;
      if (key === shown) return;
      shown = key;
      figure.replaceChildren(...(now.qr.size ? [drawing(now.qr)] : []));
      lines.replaceChildren(...(now.words.length ? identityLines(now) : []));
    },
    unmount() {
      delete document.body.dataset.enrol;
    },
  };
}
