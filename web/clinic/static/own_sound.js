// Judges what our own microphone gives: nothing at all though it is on, or a voice though it is off. Pure: it is told
// the time, and how it is.

const SILENCE = 1e-9; // of totalAudioEnergy (W3C webrtc-stats); a microphone in the quietest room gives more
const TOLD_AFTER_MS = 2500;
const WELL_AFTER_MS = 1500;
const AGAIN_AFTER_MS = 120000;
const PATIENCE = 4; // who was told, and spoke again all the same, has a headset that gives nothing between words
const PATIENCE_MAX_MS = 30000;

/** Says so when something has been wrong for some seconds, and takes it back when it is well. */
class Settled {
  #after = TOLD_AFTER_MS;
  #wrongSince = null;
  #wellSince = null;
  #told = false;
  #notBefore = -Infinity;

  judge(nowMs, wrong) {
    if (wrong) {
      this.#wellSince = null;
      this.#wrongSince ??= nowMs;
      this.#told ||= nowMs - this.#wrongSince >= this.#after && nowMs >= this.#notBefore;
    } else if (!this.#told) {
      this.#wrongSince = null;
    } else {
      this.#wellSince ??= nowMs;
      if (nowMs - this.#wellSince >= WELL_AFTER_MS) this.#over(nowMs);
    }
    return this.#told;
  }

  /** It does not matter now: another microphone, or it was turned on or off. */
  reset() {
    this.#told = false;
    this.#wrongSince = this.#wellSince = null;
  }

  #over(nowMs) {
    this.reset();
    this.#notBefore = nowMs + AGAIN_AFTER_MS;
    this.#after = Math.min(PATIENCE_MAX_MS, this.#after * PATIENCE);
  }
}

export class OwnSound {
  #silent = new Settled();
  #muted = new Settled();
  #energy = null;
  #track = null;

  /**
   * `track`: our microphone, or null; `on`: whether it is on; `energy`: its sound so far, null where the browser does
   * not say; `talks`: whether a voice is heard while it is off. Returns the key of a text, or "".
   */
  judge(nowMs, { track, on, energy, talks }) {
    const grew = energy === null || this.#energy === null || energy - this.#energy > SILENCE;
    this.#energy = energy;
    if (track !== this.#track) {
      this.#track = track;
      this.#silent.reset();
    }
    if (!track || !on) this.#silent.reset();
    if (!track || on) this.#muted.reset();
    if (!track) return "";
    if (!on) return this.#muted.judge(nowMs, talks) ? "own_muted" : "";
    return this.#silent.judge(nowMs, !grew) ? "own_silent" : "";
  }
}
