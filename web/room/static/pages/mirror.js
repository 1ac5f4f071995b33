// The room's own camera as a mirror, and how loud the microphone hears.

import { app } from "../app.js";
import { h } from "../dom.js";

const FLOOR_DBFS = -60;

export function mirror(label) {
  const video = h("video", { playsinline: true, autoplay: true, "data-media": "self", "aria-label": label });
  video.muted = true;
  app.media.attach("self", video);
  return { video, remove: () => app.media.detach("self", video) };
}

export function levelBar() {
  const bar = h("span", { class: "level-bar" });
  const element = h("div", { class: "level", "data-level": "", "aria-hidden": "true" }, bar);
  return {
    element,
    show(decibels) {
      const share = Math.min(1, Math.max(0, 1 - decibels / FLOOR_DBFS));
      bar.style.transform = `scaleX(${share.toFixed(3)})`;
      element.dataset.level = share.toFixed(2);
    },
  };
}
