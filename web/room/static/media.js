// Which pictures and sounds are connected: a function of the document. Video elements come and go with the
// pages, the connections stay.

import { WhepConnection } from "./whep.js";

const RETRY_MS = [200, 500, 1000, 2000];
export const VOLUMES = [0.1, 0.25, 0.5, 0.75, 1];

export function wantedNames(screen) {
  const session = screen?.session;
  if (screen?.scan) return ["self"];
  if (!session || !["waiting", "call"].includes(screen.page)) return [];
  const names = session.camera ? ["self"] : [];
  if (screen.page !== "call") return names;
  const here = session.parties.filter((party) => ["connecting", "connected"].includes(party.state));
  return [...names, ...here.map((party) => `peer/${party.peer}`)];
}

function keptNames(screen) {
  // A party whose line broke may come back by itself: its last picture stays until it has gone for good.
  const lost = screen?.page === "call" ? screen.session.parties.filter((party) => party.state === "lost") : [];
  return lost.map((party) => `peer/${party.peer}`);
}

export class Media {
  constructor({ onSoundBlocked }) {
    this.onSoundBlocked = onSoundBlocked;
    this.connections = new Map();
    this.retries = new Map();
    this.videos = new Map();
    this.generation = null;
    this.wanted = [];
    this.volume = null;
    this.blocked = false;
  }

  // The room's own volume, 1 to 5, until somebody changes it; a fresh page begins there again.
  startAt(volume) {
    this.volume ??= volume - 1;
  }

  get loudness() {
    return VOLUMES[this.volume ?? VOLUMES.length - 2];
  }

  follow(screen) {
    // What was asked for while nothing was open (0) waits for what opens now.
    if (this.generation && screen.media_generation !== this.generation) this.closeAll();
    this.generation = screen.media_generation;
    this.wanted = wantedNames(screen);
    const kept = new Set([...this.wanted, ...keptNames(screen)]);
    for (const name of [...this.connections.keys()]) if (!kept.has(name)) this.drop(name);
    for (const name of this.wanted) if (!this.connections.has(name)) this.connect(name);
  }

  connect(name) {
    const connection = new WhepConnection(name, {
      onStream: () => this.show(name),
      onFailed: (failed) => this.again(name, failed),
    });
    this.connections.set(name, connection);
    connection.start();
  }

  again(name, failed) {
    if (this.connections.get(name) !== failed) return;
    const tries = failed.wasConnected ? 0 : this.retries.get(name) ?? 0; // troubles of long ago do not count
    this.retries.set(name, tries + 1);
    setTimeout(() => {
      if (this.connections.get(name) !== failed) return;
      this.connections.delete(name);
      if (this.wanted.includes(name)) this.connect(name);
    }, RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]);
  }

  drop(name) {
    this.connections.get(name)?.close();
    this.connections.delete(name);
    this.retries.delete(name);
  }

  closeAll() {
    for (const name of [...this.connections.keys()]) this.drop(name);
  }

  attach(name, video) {
    this.videos.set(name, video);
    video.muted = name === "self" || this.blocked;
    video.volume = this.loudness;
    this.show(name);
  }

  // With `own` only if that is the element shown: the next page may have attached its own before.
  detach(name, own = this.videos.get(name)) {
    if (own) own.srcObject = null;
    if (this.videos.get(name) === own) this.videos.delete(name);
  }

  show(name) {
    const video = this.videos.get(name);
    const connection = this.connections.get(name);
    if (!video || !connection?.stream.getTracks().length) return;
    if (video.srcObject !== connection.stream) video.srcObject = connection.stream;
    this.play(video);
  }

  async play(video) {
    try {
      await video.play();
    } catch (error) {
      if (error.name !== "NotAllowedError" || video.muted) return;
      // No one has touched the page since it was loaded: show the picture, and ask for a touch to hear.
      this.blocked = true;
      video.muted = true;
      this.onSoundBlocked();
      video.play().catch(() => {});
    }
  }

  unblock() {
    this.blocked = false;
    for (const [name, video] of this.videos) if (name !== "self") video.muted = false;
  }

  changeVolume(step) {
    this.volume = Math.min(VOLUMES.length - 1, Math.max(0, this.volume + step));
    for (const video of this.videos.values()) video.volume = this.loudness;
  }
}
