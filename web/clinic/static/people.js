// Who takes part, as far as this page knows: the region says who is here and in what role, each says their own name.
// Pure but for what is kept; gone with the page.

const MOST_CHARS = 80;
const MOST_BESIDE = 12;
const UNIT = "unit";

/** Text as someone else sent it, made safe to keep. */
const tidy = (value, most = MOST_CHARS) => (typeof value === "string" ? value.trim().slice(0, most) : "");

/** A list of those beside the patient, as told; what is none is left out. */
export function tidyBeside(people) {
  if (!Array.isArray(people)) return [];
  return people.slice(0, MOST_BESIDE).map((one) => ({
    id: tidy(one?.id, 40), role: tidy(one?.role, 40), name: tidy(one?.name), organisation: tidy(one?.organisation),
  })).filter(({ id }) => id);
}

export class People {
  you = null;
  chair = null;
  parties = [];
  lobby = [];
  sharing = { on: false, organisations: [] };
  held = false;
  beside = [];
  own = { name: "", title: "", organisation: "" };
  #names = new Map();
  #leadsUntilTold;

  /** `leads`: whether this page leads the meeting until the region has said who does. */
  constructor(leads) {
    this.#leadsUntilTold = leads;
  }

  /** The region's list. Returns who has come and who has gone since the last one. */
  update({ you, chair, whole, parties, lobby, sharing, held }) {
    const before = this.others;
    // The region has just started again: those whom it does not name yet are on their way back.
    const unnamed = whole === false ? this.parties.filter(({ peer }) => !parties.some((one) => one.peer === peer)) : [];
    const first = this.you === null;
    this.you = you;
    this.chair = chair;
    this.parties = [...(parties ?? []), ...unnamed];
    this.lobby = lobby ?? [];
    this.sharing = sharing ?? { on: false, organisations: [] };
    this.held = Boolean(held);
    const now = this.others;
    const without = (some, all) => some.filter(({ peer }) => !all.some((one) => one.peer === peer));
    const went = without(before, now);
    return first ? { came: [], went: [] } : { came: without(now, before), went };
  }

  get me() {
    return this.parties.find(({ peer }) => peer === this.you) ?? null;
  }

  /** The other parties who are here. */
  get others() {
    return this.parties.filter(({ peer, here }) => here && peer !== this.you);
  }

  get iLead() {
    return this.you === null ? this.#leadsUntilTold : this.chair === this.you;
  }

  get unitLeads() {
    return this.chair === UNIT;
  }

  /** The clinician who leads may always show something, the others while sharing is on. */
  get iMayShow() {
    return this.sharing.on || (this.iLead && (this.me?.role ?? "clinician") === "clinician");
  }

  /** Whether this page may steer the room's camera and ask for a still. */
  get iMayLook() {
    return this.iLead || ["clinician", "specialist"].includes(this.me?.role);
  }

  /** What a party says of itself. */
  name(peer, { name, title, organisation }) {
    this.#names.set(peer, { name: tidy(name), title: tidy(title), organisation: tidy(organisation) });
  }

  named(peer) {
    return peer === this.you ? this.own : this.#names.get(peer) ?? { name: "", title: "", organisation: "" };
  }

  /** The organisations of those who are here, each once, as they gave them. */
  get organisations() {
    const given = [this.own, ...this.others.map(({ peer }) => this.named(peer)), ...this.beside];
    return [...new Set(given.map(({ organisation }) => organisation).filter(Boolean))];
  }

  roleOf(peer) {
    return this.parties.find((one) => one.peer === peer)?.role ?? "";
  }
}
