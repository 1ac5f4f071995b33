// What is large and what is small on the stage. The room is large unless something is shown, or another is chosen.

import { begin, byId, fill, main, make, texts } from "./page.js";
import { Tile } from "./tile.js";

const stage = byId("stage");
const views = new Map(); // peer → the figure of what that party shows
const latest = new Map(); // peer → the stream that it would come on
let chosen = null;

/** A tile for another party, made by the mesh; `onGone(peer)` runs when it is taken away. */
export function makeTile(peer, onGone) {
  const tile = new Tile(peer, (stream) => {
    latest.set(peer, stream);
    const video = views.get(peer)?.querySelector("video");
    if (video) video.srcObject = stream;
  });
  enlarges(tile.element);
  const remove = tile.remove.bind(tile);
  tile.remove = () => {
    latest.delete(peer);
    remove();
    onGone(peer);
    arrange();
  };
  arrange();
  return tile;
}

/** Whether a party shows its screen or a document now. */
export function showView(peer, on, who = "") {
  const view = views.get(peer);
  if (on && !view) addView(peer);
  if (on) views.get(peer).querySelector("figcaption").textContent = begin(fill(texts.shows, { who }));
  if (on === Boolean(view)) return;
  if (view) {
    view.querySelector("video").srcObject = null;
    view.remove();
    views.delete(peer);
  }
  arrange();
}

function addView(peer) {
  const video = make("video", { autoplay: true, playsInline: true, muted: true });
  video.srcObject = latest.get(peer) ?? null;
  const view = make("figure", { className: "tile view", data: { view: peer } }, video, make("figcaption"));
  views.set(peer, view);
  byId("tiles").append(view);
  enlarges(view);
}

// A button over the whole tile, out of the way once the tile is large.
function enlarges(tile) {
  tile.append(make("button", { className: "enlarge", ariaLabel: texts.enlarge, onclick: () => {
    chosen = tile === usual() ? null : tile;
    arrange();
  } }));
}

// Before the call there is no room to see: our own picture is large.
function usual() {
  if (main.dataset.stage !== "call") return byId("own-tile");
  return [...views.values()].at(-1) ?? byId("remote");
}

/** Put everything in its place. */
export function arrange() {
  if (!chosen?.isConnected) chosen = null;
  const first = main.dataset.stage === "call" ? chosen ?? usual() : usual();
  const all = [...stage.querySelectorAll(".tile")];
  for (const one of all) one.dataset.large = one === first;
  stage.dataset.small = all.filter((one) => one !== first && one.checkVisibility()).length;
}

enlarges(byId("own-tile"));
enlarges(byId("remote"));
