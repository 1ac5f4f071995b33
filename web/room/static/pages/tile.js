// One party in the meeting, or what they show: the picture, who it is, and whether it moves.

import { app } from "../app.js";
import { h, icon, setHidden, setText } from "../dom.js";
import { t, tOf } from "../texts.js";
import { who } from "./words.js";

const STILL_AFTER_MS = 3000;
const LOOK_AGAIN_MS = 500; // asked for every frame, the page would be drawn anew for each of them

export function makeTile(name, caption) {
  const video = h("video", { playsinline: true, autoplay: true, "data-media": name });
  const [title, rest] = [h("span", { class: "name", text: caption }), h("span", { class: "about" })];
  const nothing = h("p", { class: "nothing" }, icon("person"), h("span", {}));
  const figure = h("figure", { class: name === "self" ? "self" : "party", "data-media-tile": name, "data-picture": "starting" },
    video, nothing, h("figcaption", {}, title, rest));
  let lastFrame = null;
  let gone = false;
  const bornAt = performance.now();

  function onFrame(at) {
    if (gone) return;
    lastFrame = at;
    figure.dataset.picture = "on";
    setTimeout(() => { if (!gone) video.requestVideoFrameCallback(onFrame); }, LOOK_AGAIN_MS);
  }

  function describe(party, parties) {
    const shows = party.share_of !== null && party.share_of !== undefined;
    figure.classList.toggle("share", shows);
    figure.classList.toggle("ear", !shows && party.sees === false);
    if (shows) {
      setText(title, t("call.share", { who: who(parties.find((one) => one.peer === party.share_of) ?? party) }));
    } else {
      setText(title, who(party));
      setText(rest, about(party));
    }
    setHidden(rest, shows || !rest.textContent);
  }

  video.requestVideoFrameCallback(onFrame);
  app.media.attach(name, video);
  return {
    figure,
    follow(party, parties = []) {
      figure.dataset.state = party.state;
      if (party.role) describe(party, parties);
      const still = performance.now() - (lastFrame ?? bornAt) > STILL_AFTER_MS;
      if (still || party.state === "off" || party.sees === false) figure.dataset.picture = "off";
      const words = party.sees === false ? t("call.only_sound") : t("call.no_picture");
      setText(nothing.lastChild, figure.dataset.picture === "off" && name !== "self" ? words : "");
    },
    remove() {
      gone = true;
      app.media.detach(name, video);
      figure.remove();
    },
  };
}

// Title, organisation and role as far as they are given, and how the party is known.
function about(party) {
  const role = party.name ? tOf("role", party.role, party.role) : "";
  return [party.title, party.organisation, role, tOf("identified", party.identified, "")].filter(Boolean).join(" · ");
}
