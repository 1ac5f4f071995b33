// The page's state: the agent's document, and what only this page knows. Pages read it, and ask through it.

import { setLanguage, hasLanguage, t, tn, tOf } from "./texts.js";

const ANSWER_WITHIN_MS = 20_000; // a touch that is never answered must not make its button dead
// What someone at the screen may choose to see and hear more easily; `contrast` null is the room's own.
const NO_CHOICE = { contrast: null, text: 100, speech: false };

export const app = {
  screen: null,
  feed: "open",
  // `page` is where someone at the screen has gone from idle; `language` what they chose; `ask` an open question.
  // `aside` is where someone has gone from the waiting page or within the call, and comes back from.
  local: { page: null, language: null, ask: null, message: "", helpRead: null, helpFailed: false, aside: null, step: null,
    staff: null,
    sheet: "", access: NO_CHOICE },
  media: null,
  render: () => {},
  announce: () => {},
  felt: () => {},
  serverTime: 0,
  receivedAt: 0,
  inFlight: new Set(),

  take(screen) {
    this.screen = screen;
    this.serverTime = Date.parse(screen.now);
    this.receivedAt = performance.now();
    if (this.screen.help_state === "none") this.local.helpRead = null;
    else this.local.helpFailed = false;
  },

  now() {
    return this.serverTime + performance.now() - this.receivedAt;
  },

  set(change) {
    Object.assign(this.local, change);
    this.render();
  },

  get language() {
    const wish = this.local.language ?? this.screen?.session?.language;
    return wish && hasLanguage(wish) ? wish : this.defaultLanguage;
  },

  get languages() {
    return (this.screen?.languages ?? []).filter(hasLanguage);
  },

  get defaultLanguage() {
    return this.languages[0] ?? "sv";
  },

  get unlocked() {
    const until = this.screen?.staff_unlocked_until;
    return Boolean(until) && Date.parse(until) > this.now();
  },

  speak() {
    setLanguage(this.language);
  },

  // One touch of a kind at a time; the button shows that it was felt until the answer is here.
  async touch(kind, fields = {}, pressed = null) {
    if (this.inFlight.has(kind)) return null;
    this.inFlight.add(kind);
    pressed?.setAttribute("data-busy", "");
    try {
      const response = await fetch("/api/touch", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ kind, ...fields }),
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      if (!response.ok) throw new Error(`touch: ${response.status}`);
      return await response.json();
    } catch {
      return { ok: false, refusal: null, lock: null };
    } finally {
      this.inFlight.delete(kind);
      pressed?.removeAttribute("data-busy");
    }
  },

  // As `touch`, for what needs no more than to be told when it went wrong.
  async ask(kind, fields, pressed) {
    const outcome = await this.touch(kind, fields, pressed);
    if (outcome && !outcome.ok) this.announce(this.sentence(outcome));
    return outcome;
  },

  // A refusal as one or two sentences.
  sentence(outcome) {
    const why = outcome.refusal ? tOf("refusal", outcome.refusal, t("failed")) : t("failed");
    const left = outcome.lock && !outcome.lock.until ? outcome.lock.tries_left : 0;
    if (!["wrong_code", "wrong_pin"].includes(outcome.refusal) || left < 1) return why;
    return `${why} ${tn("tries", left)}`;
  },

  async help(pressed) {
    // Whoever asks for help is still here; and the question would hide that help was sent.
    this.set({ helpRead: null, helpFailed: false, ask: this.local.ask === "still" ? null : this.local.ask });
    const outcome = await this.touch("help", {}, pressed);
    if (outcome && !outcome.ok) this.set({ helpFailed: true });
  },

  async chooseLanguage(code) {
    this.set({ language: code });
    await this.touch("language", { text: code });
  },

  // Back to the first page, with language and ways to see and hear as they were chosen.
  home() {
    if (this.local.page?.startsWith("staff") && this.unlocked) this.touch("staff_lock");
    this.set({ page: null, staff: null, ask: null, message: "", aside: null });
  },

  get isAsTheRoomHasIt() {
    return !this.local.language && this.local.access === NO_CHOICE;
  },

  // The visitor has gone: all that they chose goes with them.
  reset() {
    const chosen = this.local.language;
    Object.assign(this.local, { language: null, sheet: "", access: NO_CHOICE, aside: null });
    this.home();
    if (chosen && chosen !== this.defaultLanguage) this.touch("language", { text: this.defaultLanguage });
  },
};
