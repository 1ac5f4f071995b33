// Sentences that more than one page says.

import { app } from "../app.js";
import { clock, t, tOf } from "../texts.js";

// Who somebody is: by name if they gave one, else by role.
export function who(person) {
  return person.name || tOf("role", person.role, person.role);
}

// To whoever has the next time, who finds the room taken; or to those inside, that it ends soon.
export function nextVisit(screen) {
  const { overrun } = screen;
  const time = clock(Date.parse(overrun.start));
  if (app.now() < Date.parse(overrun.start)) return t("overrun.soon", { time });
  return screen.overrun_known ? t("overrun.taken", { time }) : t("overrun.taken_ask", { time });
}
