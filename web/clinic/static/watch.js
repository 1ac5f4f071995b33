// Judges whether picture and sound still come. Pure: it is told the time and what has been received.

const STALL_MS = 2400; // seen and said within 3 s, with what it takes to look and to draw

/** Watches the bytes received of each kind; a kind counts once it has come, and while the room has it on. */
export class MediaWatch {
  #kinds = { audio: { bytes: 0, grewAt: 0 }, video: { bytes: 0, grewAt: 0 } };

  /**
   * `received`: bytes by kind so far; `expected`: whether the room sends that kind now.
   * Returns "none" before anything has come, then "flowing" or "stalled".
   */
  judge(nowMs, received, expected) {
    let verdict = "none";
    for (const [kind, seen] of Object.entries(this.#kinds)) {
      if (received[kind] > seen.bytes || !expected[kind]) seen.grewAt = nowMs;
      seen.bytes = Math.max(seen.bytes, received[kind]);
      if (seen.bytes === 0) continue;
      if (nowMs - seen.grewAt > STALL_MS) return "stalled";
      verdict = "flowing";
    }
    return verdict;
  }
}

const SILENT_AFTER_MS = 10000;
const SILENCE = 1e-9; // of totalAudioEnergy (W3C webrtc-stats); a microphone in the quietest room gives more

/** Tells that no sound at all has come since the connection was there, though the microphone is said to be on. */
export class SilenceWatch {
  #since = null;
  #heard = false;

  judge(nowMs, energy, expected) {
    this.#heard ||= energy > SILENCE;
    if (!expected || this.#heard) this.#since = null;
    else this.#since ??= nowMs;
    return this.#since !== null && nowMs - this.#since > SILENT_AFTER_MS;
  }
}

/**
 * Bytes received by kind and the sound's energy so far, from W3C RTCStatsReport "inbound-rtp"; the energy of what our
 * own microphone gave from "media-source" (`spoken`, null where the browser does not say).
 */
export function received(report) {
  const bytes = { audio: 0, video: 0 };
  let energy = 0;
  let spoken = null;
  for (const stats of report.values()) {
    if (stats.type === "media-source" && stats.kind === "audio") spoken = stats.totalAudioEnergy ?? null;
    if (stats.type !== "inbound-rtp") continue;
    if (stats.kind in bytes) bytes[stats.kind] += stats.bytesReceived;
    energy += stats.totalAudioEnergy ?? 0;
  }
  return { bytes, energy, spoken };
}
