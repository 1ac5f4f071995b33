// Easier to see and hear: contrast, the size of the text, speech. Chosen for this visitor alone: when they have
// gone, the room's own way comes back.

import { app } from "./app.js";
import { button, h, heading } from "./dom.js";
import { t } from "./texts.js";

const TEXT_PERCENT = [100, 150, 200];
const PAGES_WITHOUT = ["loading"];

export function isHighContrast() {
  return app.local.access.contrast ?? app.screen?.high_contrast ?? false;
}

// The whole page follows from two attributes of the document's root; access.css says how.
export function applyAccess() {
  const { dataset } = document.documentElement;
  const contrast = isHighContrast() ? "high" : "normal";
  const text = String(app.local.access.text);
  if (dataset.contrast !== contrast) dataset.contrast = contrast;
  if (dataset.text !== text) dataset.text = text;
}

export function changeAccess(change) {
  app.set({ access: { ...app.local.access, ...change } });
}

export function accessControl(page) {
  if (PAGES_WITHOUT.includes(page) || page.startsWith("staff")) return [];
  return [button({ label: t("access.button"), iconName: "access", look: "quiet access", data: { action: "access" },
    press: () => app.set({ sheet: "access" }) })];
}

export function accessSheet() {
  const { access } = app.local;
  const group = (name, kind, choices) => h("div", { class: "choice-row", role: "group", "aria-label": name },
    ...choices.map(({ label, value, is, press }) => {
      const made = button({ label, look: "choice", data: { access: kind, value: String(value) }, press: press ?? (() => changeAccess({ [kind]: value })) });
      made.setAttribute("aria-pressed", String(is));
      return made;
    }));
  const high = isHighContrast();
  const canSpeak = app.screen?.speech.includes(app.language);
  return [
    heading(t("access.title")),
    h("div", { class: "choice-rows" },
      group(t("access.contrast"), "contrast", [
        { label: t("access.contrast_normal"), value: false, is: !high },
        { label: t("access.contrast_high"), value: true, is: high }]),
      group(t("access.text"), "text", TEXT_PERCENT.map((percent) => (
        { label: t("access.text_percent", { percent }), value: percent, is: access.text === percent }))),
      canSpeak
        ? group(t("access.speech"), "speech", [
          { label: t("access.speech_off"), value: false, is: !access.speech },
          { label: t("access.speech_on"), value: true, is: access.speech }])
        : h("p", { class: "soft", "data-speech": "none", text: t("access.speech_none") })),
  ];
}
