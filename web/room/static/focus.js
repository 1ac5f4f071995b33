// Focus is never lost: when what had it is drawn anew or goes, its successor or what had it before takes over.

const REMEMBERED = 8;
const PASSING = ["busy", "on"];
let recent = [];

// The same button before and after it was drawn anew, in whatever language.
function nameOf(element) {
  return JSON.stringify(Object.entries(element.dataset).filter(([key]) => !PASSING.includes(key)));
}

function canTakeFocus(element) {
  return !element.disabled && element.checkVisibility({ visibilityProperty: true }) && !element.closest("[inert]");
}

export function rememberFocus() {
  addEventListener("keydown", goRound);
  addEventListener("focusin", ({ target }) => {
    if (!target.matches?.("button")) return;
    const name = nameOf(target);
    recent = [name, ...recent.filter((other) => other !== name)].slice(0, REMEMBERED);
  });
}

// The kiosk's browser has nothing beyond the page that Tab could lead to: after the last button comes the first.
function goRound(event) {
  if (event.key !== "Tab") return;
  const stops = [...document.querySelectorAll("button, input, select, textarea, a[href]")].filter(canTakeFocus);
  const ends = event.shiftKey ? [stops.at(0), stops.at(-1)] : [stops.at(-1), stops.at(0)];
  if (document.activeElement !== ends[0]) return;
  event.preventDefault();
  ends[1].focus();
}

export function forgetFocus() {
  recent = [];
}

// To be called when everything is drawn.
export function mendFocus() {
  const { activeElement } = document;
  if (activeElement && activeElement !== document.body && canTakeFocus(activeElement)) return;
  const buttons = [...document.querySelectorAll("button")].filter(canTakeFocus);
  const found = recent.map((name) => buttons.find((button) => nameOf(button) === name)).find(Boolean);
  (found ?? headingNow())?.focus({ preventScroll: !found });
}

export function headingNow() {
  return [...document.querySelectorAll("#cover h1, #sheet h1, #main h1")].find(canTakeFocus);
}
