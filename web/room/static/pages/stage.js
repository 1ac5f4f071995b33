// How the meeting's pictures are laid out: one to four parties large; or what somebody shows, large, and the faces
// small beside it. Nobody is moved in the document, since a picture that is moved stops.

import { h } from "../dom.js";
import { makeTile } from "./tile.js";

const FIRST = { chair: 0, clinician: 1 };

export function makeStage() {
  const tiles = new Map();
  const element = h("div", { class: "stage" });

  function keep(here) {
    for (const [peer, tile] of tiles) {
      if (here.some((party) => party.peer === peer)) continue;
      tile.remove();
      tiles.delete(peer);
    }
    for (const party of here) {
      if (!tiles.has(party.peer)) {
        tiles.set(party.peer, makeTile(`peer/${party.peer}`, ""));
        element.append(tiles.get(party.peer).figure);
      }
      tiles.get(party.peer).follow(party, here);
    }
  }

  return {
    element,
    follow(parties) {
      const here = parties.filter((party) => party.state !== "joined");
      keep(here);
      const shares = here.filter((party) => party.share_of);
      const faces = here.filter((party) => !party.share_of);
      const rank = (party) => (party.chair ? FIRST.chair : FIRST[party.role] ?? 2) + (party.sees === false ? 9 : 0);
      for (const party of here) tiles.get(party.peer).figure.style.order = String(party.share_of ? -1 : rank(party));
      const big = shares.at(-1);
      for (const share of shares) tiles.get(share.peer).figure.hidden = share !== big;
      element.dataset.count = String(faces.length);
      element.dataset.ears = String(faces.filter((party) => party.sees === false).length);
      element.dataset.share = big ? "on" : "off";
      // The one who is seen first stands in the large place of three.
      const first = [...faces].sort((a, b) => rank(a) - rank(b))[0];
      for (const party of faces) tiles.get(party.peer).figure.classList.toggle("first", party === first);
    },
    remove() {
      for (const tile of tiles.values()) tile.remove();
    },
  };
}
