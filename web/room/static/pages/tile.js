// One picture in the meeting, who it shows, and whether it moves.

import { app } from "../app.js";
import { h, icon, setText } from "../dom.js";
import { t, tOf } from "../texts.js";

const STILL_AFTER_MS = 3000;

export function makeTile(name, caption) {
  const video = h("video", { playsinline: true, autoplay: true, "data-media": name });
  const words = h("span", { text: caption });
  const nothing = h("p", { class: "nothing" }, icon("person"), h("span", {}));
  const figure = h("figure", { class: name === "self" ? "self" : "party", "data-media-tile": name, "data-picture": "starting" },
    video, nothing, h("figcaption", {}, words));
  let lastFrame = null;
  let gone = false;
  const bornAt = performance.now();

  function onFrame(at) {
    if (gone) return;
    lastFrame = at;
    figure.dataset.picture = "on";
    video.requestVideoFrameCallback(onFrame);
  }

  video.requestVideoFrameCallback(onFrame);
  app.media.attach(name, video);
  return {
    figure,
    follow(party) {
      figure.dataset.state = party.state;
      if (party.role) setText(words, tOf("role", party.role, party.role));
      const still = performance.now() - (lastFrame ?? bornAt) > STILL_AFTER_MS;
      if (still || party.state === "off") figure.dataset.picture = "off";
      setText(nothing.lastChild, figure.dataset.picture === "off" && name !== "self" ? t("call.no_picture") : "");
    },
    remove() {
      gone = true;
      app.media.detach(name);
      figure.remove();
    },
  };
}
