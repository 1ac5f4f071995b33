// Those who knock: shown, heard and in the title until the one who leads has let them in or turned them away.

import { announce, begin, byId, fill, inTitle, make, redraw, texts } from "./page.js";
import { roleWords } from "./panel.js";
import { ask } from "./signals.js";

let known = new Set();

export function drawLobby(people) {
  const { lobby, iLead } = people;
  const fresh = lobby.filter(({ peer }) => !known.has(peer));
  known = new Set(lobby.map(({ peer }) => peer));
  redraw(byId("lobby-list"), lobby.map((knock) => row(knock, iLead)));
  byId("lobby").hidden = lobby.length === 0;
  inTitle("knocks", lobby.length ? texts.knocks_title : "");
  if (fresh.length) announce(fresh.map(words).join(" "), "knock");
}

const words = ({ role }) => fill(texts.knocks, { who: begin(roleWords(role)) });

function row(knock, iLead) {
  const { peer, identified, since, label, second } = knock;
  const at = since ? new Date(since) : null;
  const when = at && !Number.isNaN(at.getTime()) ? at.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" }) : "";
  const how = texts[`identified_${identified}`] ?? identified;
  const button = (type, text, className) => make("button", {
    className, textContent: text, data: { key: `${type}-${peer}` }, onclick: (event) => ask({ type, peer }, event.currentTarget) });
  return make("li", { data: { peer } },
    make("p", { className: "person" }, make("strong", { textContent: words(knock) })),
    make("p", { className: "soft" }, [label, how, when].filter(Boolean).join(" · ")),
    second ? make("p", { className: "soft", textContent: texts.knock_second }) : "",
    iLead ? make("div", { className: "buttons" },
      button("admit_party", texts.admit_party, "small go"),
      button("reject_party", texts.reject_party, "small")) : "");
}
