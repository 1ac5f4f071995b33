// What the others write in the chat: the last lines over the picture for as long as they take to read, then behind
// a button; all of them can be scrolled back to. And what the patient is told of what happens: once, in text and aloud.

import { app } from "../app.js";
import { button, h, setHidden, setText } from "../dom.js";
import { t, tOf } from "../texts.js";
import { who } from "./words.js";

const SHOWN_MS = 20_000;
const READING_MS_PER_CHARACTER = 90; // about 130 words a minute, an unhurried reader's pace
const TOLD_MS = 6000;
let told = 0; // outlives the page of the call: what was told before a hold is not told again after it

export function makeCaptions() {
  const lines = h("div", { class: "lines", tabindex: "0", role: "log", "aria-label": t("captions") });
  const open = button({ label: t("captions.show"), look: "reopen", data: { action: "captions" }, press: () => show(Infinity) });
  const element = h("div", { class: "captions", "data-captions": "0" }, lines, open);
  let last = 0;
  let until = 0;

  function show(forMs) {
    until = performance.now() + Math.min(forMs, 3 * SHOWN_MS);
    app.render();
  }

  function draw(caption, parties) {
    const party = parties.find((one) => one.peer === caption.peer) ?? caption;
    lines.append(h("p", { "data-caption": String(caption.id) },
      h("span", { class: "by", text: `${who(party)}: ` }), h("span", { text: caption.text })));
    last = caption.id;
    const left = Math.max(0, until - performance.now());
    until = performance.now() + Math.max(left, SHOWN_MS, caption.text.length * READING_MS_PER_CHARACTER);
  }

  return {
    element,
    follow({ captions, parties }) {
      const fresh = captions.filter((caption) => caption.id > last);
      for (const caption of fresh) draw(caption, parties);
      const reading = performance.now() < until;
      element.dataset.captions = String(captions.length);
      setHidden(lines, !reading);
      setHidden(open, reading || !captions.length);
      if (fresh.length) lines.scrollTop = lines.scrollHeight;
    },
  };
}

export function makeAnnouncements() {
  const element = h("p", { class: "told", "data-announcement": "" });
  let until = 0;
  return {
    element,
    follow({ announcements }) {
      told = Math.min(told, announcements.at(-1)?.id ?? 0); // the unit that starts anew counts anew
      const fresh = announcements.filter((one) => one.id > told);
      if (fresh.length) {
        told = fresh.at(-1).id;
        const words = fresh.slice(-2).map((one) => tOf("announce", one.kind, "", { who: who(one) }));
        element.dataset.announcement = fresh.at(-1).kind;
        setText(element, words.join(" "));
        app.announce(words.join(" "));
        until = performance.now() + TOLD_MS * fresh.slice(-2).length;
      }
      setHidden(element, performance.now() >= until);
    },
  };
}
