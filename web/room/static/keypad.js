// Large digits. The digits written live here and nowhere else, and go when the page goes.

import { app } from "./app.js";
import { button, h } from "./dom.js";
import { t } from "./texts.js";

export function keypad({ length, shortest = length, secret = false, changed, done }) {
  let digits = "";
  let shut = false;
  const boxes = h("p", { class: "digits", role: "img", "data-digits": "0" });

  function draw() {
    const shown = Array.from({ length: Math.max(shortest, digits.length) }, (_, place) =>
      h("span", { class: "digit", text: place < digits.length ? (secret ? "•" : digits[place]) : "" }));
    boxes.replaceChildren(...shown);
    boxes.dataset.digits = digits.length;
    boxes.setAttribute("aria-label", t("keypad.written", { count: digits.length, total: length }));
    changed(digits.length >= shortest && !shut);
  }

  // How many, for who does not see it; which ones is nobody else's to hear.
  function tell() {
    app.announce(t("keypad.written", { count: digits.length, total: length }));
  }

  function write(next) {
    if (shut) return;
    digits = next.slice(0, length);
    draw();
    tell();
  }

  const key = (digit) => button({ label: digit, look: "key", data: { digit }, press: () => write(digits + digit) });
  const keys = [..."123456789"].map(key);
  keys.push(
    button({ label: t("keypad.clear"), look: "key word", data: { action: "clear" }, press: () => write("") }),
    key("0"),
    button({ label: t("keypad.erase"), look: "key word", data: { action: "erase" }, press: () => write(digits.slice(0, -1)) }),
  );
  return {
    boxes,
    keys: h("div", { class: "keys", role: "group", "aria-label": t("keypad"), "data-secret": secret }, ...keys),
    draw,
    get digits() {
      return digits;
    },
    clear() {
      digits = "";
      draw();
    },
    shut(state) {
      if (state === shut) return;
      shut = state;
      if (shut) digits = "";
      for (const one of keys) one.disabled = shut;
      draw();
    },
    typed(event) {
      if (/^[0-9]$/.test(event.key)) write(digits + event.key);
      else if (event.key === "Backspace") write(digits.slice(0, -1));
      else if (event.key === "Enter" && !event.target.closest("button")) done();
    },
  };
}
