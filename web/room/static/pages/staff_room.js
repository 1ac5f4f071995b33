// The room itself, for staff: how it is and what to do about it; and a clinician asked for now.

import { app } from "../app.js";
import { button, h, heading, setHidden, setText } from "../dom.js";
import { clock, t, tOf } from "../texts.js";
import { enrolAdvice, enrolState, enrolTitle, identityLines } from "./enrol.js";
import { playTone } from "./sound.js";
import { backButton, go, held, lockButton, pager, teller } from "./staff_frame.js";

// One thing to do, large; all else is quiet.
export function health() {
  const told = teller();
  const well = h("p", { class: "next", "data-well": "" });
  const first = todo();
  const more = h("p", { class: "soft" });
  const others = h("ul", { class: "faults" });
  const figures = h("ul", { class: "figures" });
  const tested = h("p", { class: "soft" });
  const certificate = h("div", { class: "identity certificate" });
  const again = button({ label: t("staff.test"), look: "main", data: { touch: "staff_test" },
    press: (it) => told.ask("staff_test", {}, it, () => told.say("", "")) });
  // What was found may be as somebody wants it: then it is what is usual from now on.
  const right = (touch, label, ...faults) => ({ faults, element: button({ label, data: { touch },
    press: (it) => told.ask(touch, {}, it, () => told.say("", "")) }) });
  const rights = [right("staff_camera_right", t("staff.camera_right"), "camera_turned"),
    right("staff_sound_right", t("staff.sound_right"), "loudspeaker_quiet", "microphone_quiet")];
  const tone = button({ label: t("waiting.tone"), iconName: "tone", data: { action: "tone" }, press: playTone });
  return {
    main: [h("div", { class: "staff" },
      h("div", { class: "day health" }, heading(t("staff.room")), well, first.element, more, others, certificate, figures, tested),
      h("div", { class: "side" }, again, ...rights.map((each) => each.element), tone, told.element))],
    foot: [backButton(), lockButton()],
    update() {
      const { screen } = app;
      const isWell = screen.ready && !screen.faults.length && screen.region_up;
      const lines = screen.enrol ? [] : conditions(screen); // without a certificate nothing else matters
      well.dataset.well = String(isWell);
      setText(well, screen.testing ? `${t("staff.testing")} ${t("staff.testing_sound")}` : isWell ? t("staff.well") : lines.length ? "" : t("staff.untested"));
      setHidden(well, Boolean(screen.enrol) || !well.textContent);
      first.show(screen.testing ? null : lines[0], screen.todo ?? undefined);
      setText(more, !screen.testing && lines.length > 1 ? t("staff.todo_more", { count: lines.length - 1 }) : "");
      write(others, screen.testing ? [] : lines.slice(1).map((each) => each.fault));
      write(figures, screen.testing || screen.enrol || lines.length ? [] : screen.figures.filter((each) => each.ok).map(figureWords).filter(Boolean));
      writeCertificate(certificate, screen.enrol);
      setText(tested, screen.tested_at ? t("staff.tested", { time: clock(Date.parse(screen.tested_at)) }) : "");
      again.toggleAttribute("disabled", screen.testing || Boolean(held()));
      const offered = screen.testing ? undefined : rights.find((each) => each.faults.includes(screen.faults[0]));
      for (const each of rights) setHidden(each.element, each !== offered);
      setHidden(tone, Boolean(offered)); // a small screen has room for two
    },
  };
}

// The drawing, what is wrong, the one thing to do, and whether the room can be used meanwhile.
function todo() {
  const picture = h("span", { class: "drawing", "aria-hidden": "true" });
  const fault = h("p", { class: "fault", dir: "auto" }); // in Swedish where a language lacks it
  const deed = h("p", { class: "next", "data-todo": "", dir: "auto" });
  const use = h("p", { class: "use" });
  const element = h("section", { class: "todo", "aria-live": "polite" }, picture, h("div", {}, fault, deed, use));
  return {
    element,
    show(line, { level, picture: name } = { level: "warn", picture: "network_cable" }) {
      setHidden(element, !line);
      if (!line) return;
      element.dataset.level = level;
      element.dataset.instruction = line.name;
      picture.dataset.drawing = name;
      setText(fault, line.fault);
      setText(deed, line.deed);
      const usable = t("staff.todo_warn");
      setText(use, level === "fail" ? t("staff.todo_fail") : line.deed.endsWith(usable) ? "" : usable);
    },
  };
}

function write(list, lines) {
  const key = JSON.stringify(lines);
  if (list.dataset.drawn === key) return;
  list.dataset.drawn = key;
  list.replaceChildren(...lines.map((text) => h("li", { text })));
}

// A unit whose certificate has expired asks for another: what staff read to IT.
function writeCertificate(element, enrol) {
  const key = enrol ? JSON.stringify([enrolState(), enrol.serial, enrol.words, document.documentElement.lang]) : "";
  if ((element.dataset.drawn ?? "") === key) return;
  element.dataset.drawn = key;
  element.replaceChildren(...(enrol ? [h("p", { class: "next", text: enrolTitle(enrolState()) }), h("p", { text: enrolAdvice(enrolState()) }), ...identityLines(enrol)] : []));
}

function figureWords({ probe, figure }) {
  const number = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 }).format(figure);
  return tOf("figure", probe, "").replace("{figure}", number);
}

const OF_REGION = ["region", "network_cable", "network_address", "name_service"];

function conditions(screen) {
  const lines = screen.faults.map((name) => ({
    name,
    fault: tOf("instruction_fault", name, t("instruction_fault.other", { name })),
    deed: tOf("instruction", name, t("instruction.other", { name })),
  }));
  const known = screen.faults.some((name) => OF_REGION.includes(name));
  if (!screen.region_up && !known) lines.push({ name: "region", fault: t("staff.region_down"), deed: t("instruction.region") });
  return lines;
}

// In which queue; where the region has none, the room's own clinic is asked at once.
export function queues() {
  const told = teller();
  const question = heading("");
  const list = pager({ reserve: 44, look: "places" });
  const waits = h("p", { class: "next" });
  const leave = button({ label: t("staff.queue_leave"), look: "stop", data: { touch: "staff_dropin_cancel" },
    press: (it) => told.ask("staff_dropin_cancel", {}, it, () => go("list")) });
  const joined = (queue) => go("list", {}, queue ? t("staff.queue_joined", { name: queue.name }) : "");
  return {
    main: [h("div", { class: "staff one" }, question, waits, list.element, leave, told.element)],
    foot: [backButton(), lockButton()],
    update() {
      if (told.update()) return;
      const { queue, queues: all } = app.screen;
      setText(question, queue ? t("staff.queue_in", { name: queue.name }) : t("staff.queue_question"));
      setText(waits, queue ? (queue.place ? t("queue.place", { place: queue.place }) : t("queue.asked")) : "");
      setHidden(waits, !queue);
      setHidden(leave, !queue);
      setHidden(list.element, Boolean(queue));
      const choices = all.length ? all : [null];
      list.show(choices, JSON.stringify(all), (each) => button({ label: each ? each.name : t("staff.dropin"), look: "main",
        data: each ? { touch: "staff_dropin", queue: each.id } : { touch: "staff_dropin" },
        press: (it) => told.ask("staff_dropin", each ? { text: each.id } : {}, it, () => joined(each)) }));
    },
  };
}
