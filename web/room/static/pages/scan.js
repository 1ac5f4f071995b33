// A QR code from a letter or a telephone, held up to the room's camera. The camera is open while this page is.

import { app } from "../app.js";
import { button, h, heading, setText } from "../dom.js";
import { isQuiet } from "../presence.js";
import { t, tOf } from "../texts.js";
import { mirror } from "./mirror.js";

let asking = Promise.resolve();

// One after the other, also when the page goes before the camera has come.
function camera(on) {
  asking = asking.then(() => app.touch("scan", { on }));
  return asking;
}

export function scan() {
  let refused = null;
  let before = app.screen.scan?.seen ?? 0; // of an opening before this one, which may still be told of
  const own = mirror(t("waiting.self"));
  const message = h("p", { class: "message", role: "alert", "data-message": "" });
  let isOpen = false;
  const open = () => camera(true).then((outcome) => { refused = outcome && !outcome.ok ? outcome : null; app.render(); });
  open();

  // The unit closes it after its own time, and when it misses the page: who is still here would hold up a code in vain.
  function keepOpen() {
    if (app.screen.scan) isOpen = true;
    else if (isOpen && !isQuiet()) {
      isOpen = false;
      open();
    }
  }

  function said() {
    const { scan: now } = app.screen;
    if (!now || now.seen < before) before = 0;
    if (refused) return { why: refused.refusal ?? "failed", words: app.sentence(refused) };
    if (now?.refusal && now.seen > before) return { why: now.refusal, words: tOf("refusal", now.refusal, t("failed")) };
    return { why: "", words: t("scan.hint") };
  }

  return {
    main: [h("div", { class: "scan" },
      h("div", { class: "words" }, heading(t("scan.title")), message),
      h("div", { class: "frame viewfinder" }, own.video, h("span", { class: "finder", "aria-hidden": "true" })))],
    foot: [button({ label: t("back"), iconName: "back", look: "quiet", data: { action: "back" }, press: () => app.home() }),
      button({ label: t("scan.code_instead"), look: "far", data: { action: "code" },
        press: () => app.set({ page: "checkin-code" }) })],
    update() {
      keepOpen();
      const { why, words } = said();
      message.dataset.message = why;
      message.classList.toggle("wrong", Boolean(why));
      setText(message, words);
    },
    unmount() {
      own.remove();
      camera(false);
    },
  };
}
