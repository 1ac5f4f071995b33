// Inviting someone: a place in the meeting with a link and a code of its own, shown once here and passed on by whoever
// leads. A place can be taken back.

import { post } from "./api.js";
import { base, begin, byId, main, make, problem, redraw, say, texts } from "./page.js";
import { roleWords } from "./panel.js";
import { once, refusal } from "./signals.js";

const ROLES = ["interpreter", "relative", "specialist", "municipality", "proxy"];

/** Returns what draws whether one may invite. */
export function startSeats(people) {
  byId("seat-role").append(...ROLES.map((role) => make("option", { value: role, textContent: begin(roleWords(role)) })));
  byId("seat-form").addEventListener("submit", (event) => {
    event.preventDefault();
    once(byId("seat-make"), () => invite());
  });
  byId("seat-done").addEventListener("click", forget);
  for (const what of ["link", "code"]) byId(`copy-${what}`).addEventListener("click", (event) => copy(event.currentTarget, byId(`seat-${what}`).textContent));
  byId("invite").addEventListener("toggle", () => (byId("invite").open ? list() : forget()));
  return () => {
    byId("invite").hidden = !people.iLead || main.dataset.guest === "yes"; // the clinic alone invites
  };
}

async function invite() {
  const wish = { role: byId("seat-role").value, label: byId("seat-label").value.trim() };
  const answer = await post(`${base}/seats`, wish).catch(() => null);
  if (!answer?.ok) return problem(await refusal(answer));
  problem("");
  const { link, code } = await answer.json();
  byId("seat-link").textContent = link;
  byId("seat-code").textContent = code;
  byId("seat-shown").hidden = false;
  byId("seat-form").hidden = true;
  byId("seat-label").value = "";
  byId("copy-link").focus();
  await list();
}

// Shown once: neither is to be had again.
function forget() {
  byId("seat-shown").hidden = true;
  byId("seat-form").hidden = false;
  for (const what of ["link", "code"]) byId(`seat-${what}`).textContent = "";
}

async function list() {
  const answer = await fetch(`${base}/seats`, { cache: "no-store" }).catch(() => null);
  if (!answer?.ok) return;
  const { seats } = await answer.json();
  redraw(byId("seat-list"), seats.map(({ id, role, label }) => make("li", { data: { seat: id } },
    make("p", { className: "person" }, make("strong", { textContent: begin(roleWords(role)) }), label ? ` ${label}` : ""),
    make("button", { className: "small", textContent: texts.seat_withdraw, data: { key: `seat-${id}` },
      onclick: (event) => withdraw(event.currentTarget, id) }))));
}

function withdraw(button, id) {
  return once(button, async () => {
    const answer = await post(`${base}/seats/${id}/withdraw`).catch(() => null);
    problem(answer?.ok ? "" : await refusal(answer));
    await list();
  });
}

async function copy(button, words) {
  const done = await navigator.clipboard?.writeText(words).then(() => true, () => false);
  say(byId("copy-said"), done ? texts.copied : texts.copy_by_hand);
  button.focus();
}
