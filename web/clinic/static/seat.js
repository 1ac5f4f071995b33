// What a link opens. Its token stands after the `#`, or waits here while somebody signs in or changes language.

import { post } from "./api.js";

const KEY = "halsorum.link";
const byId = (id) => document.getElementById(id);
const main = byId("content");
const texts = JSON.parse(main.dataset.texts);

function kept() {
  const token = location.hash.slice(1) || sessionStorage.getItem(KEY) || "";
  if (token) sessionStorage.setItem(KEY, token);
  return token;
}

function say(id, words) {
  byId(id).textContent = words;
  byId(id).hidden = !words;
}

function show(state) {
  main.dataset.state = state;
  byId("looking").hidden = true;
  for (const id of ["code-form", "name-form", "early", "gone"]) byId(id).hidden = id !== state;
  byId("what").hidden = state === "gone";
}

function gone(words) {
  sessionStorage.removeItem(KEY);
  for (const id of ["when", "in-use"]) byId(id).hidden = true;
  show("gone");
  say("gone-words", words);
}

// A line that is down is not a link that is gone.
async function ask(path, body) {
  const answer = await post(path, body).catch(() => null);
  const told = await answer?.json().catch(() => null);
  return { ok: answer?.ok ?? false, refused: told?.error === "refused", ...told };
}

async function look() {
  const token = kept();
  const told = token ? await ask("/api/seat/look", { token }) : { refused: true, reason: texts.seat_no_link };
  if (told.refused) return gone(told.reason);
  if (!told.ok) {
    show("early");
    return say("early-words", texts.not_done);
  }
  if (told.to) {
    sessionStorage.removeItem(KEY);
    return location.replace(told.to);
  }
  say("when", texts.seat_when.replace("{role}", told.role).replace("{date}", told.date).replace("{time}", told.start));
  byId("in-use").hidden = !told.in_use;
  if (told.state === "early") {
    show("early");
    return say("early-words", texts.seat_early.replace("{time}", told.opens).replace("{date}", told.date));
  }
  show(told.name ? "name-form" : "code-form");
  if (told.name) byId("name-words").textContent = texts.seat_as.replace("{name}", told.name);
  else byId("code").focus();
}

async function claim(body, problem, button) {
  button.disabled = true;
  say(problem, "");
  const told = await ask("/api/seat/claim", { token: kept(), ...body });
  button.disabled = false;
  if (told.ok) {
    sessionStorage.removeItem(KEY);
    return location.replace(told.to);
  }
  if (told.field === "link" || told.field === "session") return gone(told.reason);
  say(problem, told.reason ?? texts.not_done);
  byId("code").setAttribute("aria-invalid", "true");
  byId("code").select();
}

byId("code-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const code = byId("code").value.replaceAll(/\s/g, "");
  if (!/^\d{6}$/.test(code)) return say("code-problem", texts.seat_six);
  claim({ code }, "code-problem", byId("go"));
});
byId("name-form").addEventListener("submit", (event) => {
  event.preventDefault();
  claim({}, "name-problem", byId("go-as"));
});
byId("again").addEventListener("click", look);
addEventListener("hashchange", () => location.reload());
look();
