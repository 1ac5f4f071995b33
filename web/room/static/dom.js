// Small helpers to build elements. Texts only ever become text nodes.

export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "text") element.textContent = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function icon(name) {
  return h("span", { class: "icon", "data-icon": name, "aria-hidden": "true" });
}

export function heading(text) {
  return h("h1", { tabindex: "-1", text });
}

// A button. `data` gives the stable names for automation: {touch: "help"}, {action: "back"}, {digit: "1"}.
export function button({ label, look = "", iconName, data = {}, name, lang, press }) {
  const attributes = Object.fromEntries(Object.entries(data).map(([key, value]) => [`data-${key}`, value]));
  return h(
    "button",
    { type: "button", class: look, "aria-label": name, lang, onclick: (event) => press(event.currentTarget), ...attributes },
    iconName ? icon(iconName) : null,
    h("span", { class: "label", text: label }),
  );
}

// Write only what differs, so that screen readers hear a change once and nothing is drawn for nothing.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setHidden(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
}

export function setLabel(element, text) {
  setText(element.querySelector(".label"), text);
}
