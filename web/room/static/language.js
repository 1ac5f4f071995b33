// Choosing a language: one button in the footer that says so in two languages, and a sheet with each in its own.

import { app } from "./app.js";
import { button, h, heading } from "./dom.js";
import { t, textIn } from "./texts.js";

export function languageControl() {
  return button({ label: t("language.button"), iconName: "globe", look: "quiet", data: { action: "language" },
    press: () => app.set({ sheet: "language" }) });
}

export function languageSheet() {
  const choices = app.languages.map((code) => {
    const made = button({ label: textIn(code, "language.name"), lang: code, look: "language", data: { language: code },
      press: () => { app.local.sheet = ""; app.chooseLanguage(code); } });
    made.dir = textIn(code, "language.direction");
    made.setAttribute("aria-pressed", String(code === app.language));
    return made;
  });
  return [heading(t("language.choose")), h("div", { class: "languages", role: "group", "aria-label": t("language.choose") }, ...choices)];
}
