// Who took part, by name: the meeting page leaves it in this tab alone, for the page after it to be copied from.

const KEPT = "halsorum.summary";

/** `{parties: [{role, name, title, organisation, identified}], beside: […]}`, or null. */
export function keptSummary() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
    return Array.isArray(kept?.parties) ? kept : null;
  } catch {
    return null;
  }
}

/** It was copied, or its reader has left. */
export function forgetSummary() {
  sessionStorage.removeItem(KEPT);
}

/** Everyone who has taken part, by name as they gave it; those who have left, too. In memory until `keep()`. */
export class Roll {
  #seen = new Map();
  #beside = [];

  /** `people`: what the meeting page knows now. */
  see(people) {
    for (const { peer, role, identified, here } of people.parties) {
      if (here || this.#seen.has(peer)) this.#seen.set(peer, { role, identified, ...named(people.named(peer), this.#seen.get(peer)) });
    }
    this.#beside = people.beside.map(({ role, name, organisation }) => ({ role, name, organisation }));
  }

  /** The page after this one may read it, once. */
  keep() {
    const kept = { parties: [...this.#seen.values()], beside: this.#beside };
    sessionStorage.setItem(KEPT, JSON.stringify(kept));
  }
}

// Whoever comes back has no name until they say it again.
function named({ name, title, organisation }, before) {
  return name || !before ? { name, title, organisation } : { name: before.name, title: before.title, organisation: before.organisation };
}

/** Lines of plain text; `words` are the roles and ways of being identified in the reader's language. */
export function partyLines({ parties, beside }, words) {
  const lines = parties.map((party) => `- ${described(party, words)}`);
  const others = Array.isArray(beside) ? beside : [];
  if (others.length) lines.push(words.beside, ...others.map((party) => `- ${described(party, words)}`));
  return lines;
}

function described({ role, name, title, organisation, identified }, words) {
  const who = [name, title, organisation].map(oneLine).filter(Boolean).join(", ");
  const how = words.identified[identified];
  return `${words.roles[role] ?? oneLine(role)}${who ? `: ${who}` : ""}${how ? ` (${how})` : ""}`;
}

// A name with line breaks would look like lines of ours.
function oneLine(text) {
  return String(text ?? "").replace(/\s+/g, " ").trim().slice(0, 80);
}
