// Showing screens and documents is off until the one who leads has noted the patient's consent, by organisation.

import { byId, redraw, make, say, texts, fill } from "./page.js";
import { ask } from "./signals.js";

const MOST_CHARS = 120;

/** Returns what draws whether sharing is on. */
export function startConsent(people) {
  const dialog = byId("consent-dialog");
  byId("sharing-on").addEventListener("click", () => {
    byId("consent-organisations").value = people.organisations.join("\n");
    byId("consent-given").checked = false;
    dialog.showModal();
  });
  byId("consent-no").addEventListener("click", () => dialog.close());
  byId("consent-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const lines = byId("consent-organisations").value.split("\n");
    const organisations = [...new Set(lines.map((one) => one.trim().slice(0, MOST_CHARS)).filter(Boolean))].slice(0, 16);
    if (await ask({ type: "sharing", on: true, organisations }, byId("consent-yes"))) dialog.close();
    else say(byId("consent-problem"), byId("media-problem").textContent);
  });
  byId("sharing-off").addEventListener("click", (event) =>
    ask({ type: "sharing", on: false, organisations: [] }, event.currentTarget));
  return () => {
    const { on, organisations } = people.sharing;
    say(byId("sharing-state"), on ? texts.sharing_is_on : texts.sharing_is_off);
    redraw(byId("sharing-organisations"), (on ? organisations : []).map((one) => make("li", { textContent: one })));
    byId("sharing-on").hidden = on || !people.iLead;
    byId("sharing-off").hidden = !on || !people.iLead;
    const may = people.iMayShow;
    byId("show-screen").disabled = byId("show-files").disabled = !may;
    byId("show-screen").hidden = !navigator.mediaDevices?.getDisplayMedia; // telephones have none
    say(byId("show-why"), may ? "" : fill(texts.show_why, {}));
  };
}
