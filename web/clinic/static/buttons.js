// The meeting's own buttons: let in, hold, lead, leave, end.

import { byId, main } from "./page.js";
import { ask, send } from "./signals.js";

const ENDED_WAIT_MS = 3000;
const LEAVE_WAIT_MS = 3000; // on a dead line it waits behind all that was said before

// What cannot be taken back is asked about once.
function asked(name, message, after = () => {}) {
  const box = byId(`${name}-dialog`);
  byId(name).addEventListener("click", () => box.showModal());
  byId(`${name}-no`).addEventListener("click", () => box.close());
  byId(`${name}-yes`).addEventListener("click", async (event) => {
    const done = await ask(message, event.currentTarget);
    box.close();
    if (done) after();
  });
}

/** `way` has `toEnded()`, `stop()` (everything of this page) and `closeMedia()`. */
export function startButtons(people, way) {
  byId("admit").addEventListener("click", async (event) => {
    const button = event.currentTarget;
    await ask({ type: "admit" }, button);
    button.disabled = main.dataset.sessionState !== "waiting";
  });
  asked("reject", { type: "reject" });
  asked("end", { type: "end" }, () => {
    way.closeMedia();
    setTimeout(way.toEnded, ENDED_WAIT_MS); // sooner when the unit has confirmed it
  });
  byId("hold").addEventListener("click", (event) => ask({ type: "hold", on: !people.held }, event.currentTarget));
  byId("chair-to-room").addEventListener("click", (event) => ask({ type: "chair", holder: "unit" }, event.currentTarget));
  byId("leave").addEventListener("click", async (event) => {
    event.preventDefault();
    const begun = main.dataset.stage === "call";
    await Promise.race([send({ type: "leave" }), new Promise((done) => setTimeout(done, LEAVE_WAIT_MS))]);
    if (begun) return way.toEnded();
    way.stop();
    location.assign(main.dataset.back);
  });
  byId("open-here").addEventListener("click", () => location.reload());
}
