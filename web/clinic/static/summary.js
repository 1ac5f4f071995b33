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
