// The end: what became of it, that nothing is kept, and three optional marks, one question and one touch each.

import { app } from "../app.js";
import { button, h, heading, icon, setText } from "../dom.js";
import { t, tOf } from "../texts.js";

const SHOWN_MS = 55_000; // the agent goes back to idle after a minute by itself
const THANKS_MS = 6000;
const HELD = ["patient_left", "ended_by_clinician", "ended_by_staff", "last_clinician_left", "nobody_here", "abandoned"];
const MARKS = [["bad", 1], ["middling", 2], ["good", 3]];

export function ended() {
  let leavesAt = performance.now() + SHOWN_MS;
  let asked = false;
  let sending = Promise.resolve();
  const marks = [0, 0, 0];
  const questions = [t("feedback.picture"), t("feedback.sound"), t("feedback.ease")];
  const reason = app.screen.session.ended_reason;
  const question = h("p", { class: "question", id: "question", role: "status" });
  const faces = h("div", { class: "faces", role: "group", "aria-labelledby": "question" },
    ...MARKS.map(([name, mark]) => face(name, mark, give)));
  const done = button({ label: t("ended.done"), look: HELD.includes(reason) ? "far" : "main", data: { touch: "done" },
    press: (it) => app.touch("done", {}, it) });

  const step = () => marks.findIndex((mark) => mark === 0);

  // Each mark is sent with those before it, so that whoever walks away after one has been heard.
  function give(mark) {
    if (step() < 0) return;
    marks[step()] = mark;
    const text = marks.join(",");
    sending = sending.then(() => app.touch("feedback", { text }));
    leavesAt = performance.now() + (step() < 0 ? THANKS_MS : SHOWN_MS);
    draw();
  }

  function draw() {
    const at = step();
    faces.dataset.step = at < 0 ? "thanks" : String(at);
    faces.classList.toggle("over", at < 0);
    setText(question, at < 0 ? t("feedback.thanks") : questions[at]);
  }

  draw();
  return {
    main: [h("div", { class: "ended" }, heading(t("ended.title")),
      h("p", { class: "next", "data-reason": reason ?? "", text: tOf("why", reason, "") }),
      ...(HELD.includes(reason) ? [question, faces] : [done]))],
    foot: HELD.includes(reason) ? [done] : [],
    update() {
      if (asked || performance.now() < leavesAt) return;
      asked = true;
      app.touch("done");
    },
  };
}

function face(name, mark, give) {
  const made = h("button", { type: "button", class: "face", "data-mark": String(mark), onclick: () => give(mark) },
    icon(`face-${name}`), h("span", { class: "label", text: tOf("mark", name, name) }));
  return made;
}
