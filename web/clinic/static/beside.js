// Those who sit beside the patient: the one who leads writes them down, and all see them.

import { begin, byId, make, newId, redraw, texts } from "./page.js";
import { roleWords } from "./panel.js";

const BY_THE_ROOM = "here-"; // ids of those whom staff at the touchscreen have added: theirs to take away
const ROLES = ["relative", "staff", "interpreter", "municipality", "specialist", "proxy"];

/** `tell(people)` sends the whole list to everyone. Returns what draws it. */
export function startBeside(people, tell) {
  byId("beside-role").append(...ROLES.map((role) => make("option", { value: role, textContent: begin(roleWords(role)) })));
  const change = (list) => {
    people.beside = list;
    tell(list);
    draw();
  };
  byId("beside-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const one = { id: newId(6), role: byId("beside-role").value };
    for (const field of ["name", "organisation"]) one[field] = byId(`beside-${field}`).value.trim();
    change([...people.beside, one]);
    event.target.reset();
    byId("beside-add").open = false;
  });
  const draw = () => {
    redraw(byId("beside-list"), people.beside.map((one) => make("li", { data: { id: one.id } },
      make("p", { className: "person" }, make("strong", { textContent: one.name || begin(roleWords(one.role)) })),
      make("p", { className: "soft" }, [one.name ? roleWords(one.role) : "", one.organisation, texts.in_room].filter(Boolean).join(" · ")),
      people.iLead && !one.id.startsWith(BY_THE_ROOM) ? make("button", { className: "small", textContent: texts.remove_beside, data: { key: `beside-${one.id}` },
        ariaLabel: `${texts.remove_beside}: ${one.name || roleWords(one.role)}`,
        onclick: () => change(people.beside.filter(({ id }) => id !== one.id)) }) : "")));
    byId("beside-add").hidden = !people.iLead;
  };
  return draw;
}
