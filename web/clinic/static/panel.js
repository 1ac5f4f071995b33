// The list of those who take part, and what the one who leads may do with each.

import { begin, byId, make, redraw, say, texts } from "./page.js";
import { ask } from "./signals.js";

export const roleWords = (role) => texts[`role_${role}`] ?? role;
const identifiedWords = (identified) => texts[`identified_${identified}`] ?? identified;

/** The name someone gave, or the word for the role. */
export function whoWords(people, peer) {
  return people.named(peer).name || roleWords(people.roleOf(peer));
}

export function drawPeople(people) {
  const me = people.me;
  const rows = (me ? [me, ...people.others] : people.others).map((party) => row(people, party));
  redraw(byId("people-list"), rows);
  byId("people-count").textContent = rows.length > 1 ? rows.length : "";
  say(byId("unit-leads"), people.unitLeads ? texts.unit_leads : "");
}

function row(people, party) {
  const { name, title, organisation } = people.named(party.peer);
  const mine = party.peer === people.you;
  const role = roleWords(party.role);
  const marks = [
    mine ? texts.you : "",
    people.chair === party.peer ? texts.leads : "",
    party.sees === false ? texts.hears_only : "",
    party.share ? texts.shows_now : "",
  ].filter(Boolean);
  return make("li", { data: { peer: party.peer } },
    make("p", { className: "person" }, make("strong", { textContent: name || begin(role) }), marks.length ? ` (${marks.join(", ")})` : ""),
    make("p", { className: "soft" }, [name ? role : "", title, organisation, identifiedWords(party.identified)].filter(Boolean).join(" · ")),
    people.iLead && !mine ? actions(people, party) : "");
}

function actions(people, party) {
  const { peer } = party;
  const button = (key, words, message, className = "small") => make("button", {
    className, textContent: words, data: { key: `${key}-${peer}` }, onclick: (event) => ask(message, event.currentTarget) });
  const seeing = party.sees !== false;
  return make("details", { className: "actions", data: { key: `actions-${peer}` } },
    make("summary", { textContent: texts.actions, ariaLabel: `${texts.actions}: ${whoWords(people, peer)}` }),
    make("div", { className: "buttons" },
      button("chair", texts.give_chair, { type: "chair", holder: peer }),
      party.role === "interpreter"
        ? button("sees", seeing ? texts.hear_only_on : texts.hear_only_off, { type: "sees", peer, on: !seeing }) : "",
      button("remove", texts.remove_party, { type: "remove_party", peer }, "small stop")));
}
