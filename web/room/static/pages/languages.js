// Which language the screen speaks: a page of its own, each name in its own language.

import { app } from "../app.js";
import { button, h, heading } from "../dom.js";
import { t, textIn } from "../texts.js";

const back = () => app.set(app.screen.page === "idle" ? { page: null } : { aside: null });

export function languages() {
  const choices = app.screen.languages.map((code) => {
    const made = button({ label: textIn(code, "language.name"), lang: code, look: "main language", data: { language: code },
      press: async () => { await app.chooseLanguage(code); back(); } });
    made.setAttribute("aria-pressed", String(code === app.language));
    return made;
  });
  return {
    main: [h("div", { class: "choose" }, heading(t("language.choose")), h("div", { class: "choices" }, ...choices))],
    foot: [button({ label: t("back"), iconName: "back", look: "quiet", data: { action: "back" }, press: back })],
  };
}

// The way there: said in the language that is on and, for whoever does not read that one, in the next.
export function languageButton() {
  const codes = app.screen.languages;
  if (codes.length < 2) return [];
  const other = codes.find((code) => code !== app.language);
  const label = `${t("language")} · ${textIn(other, "language")}`;
  return [button({ label, iconName: "language", look: "quiet", data: { action: "language" },
    press: () => app.set(app.screen.page === "idle" ? { page: "language" } : { aside: "language" }) })];
}
