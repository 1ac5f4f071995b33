// What is wrong with the page as drawn: targets too small or too close, words too faint, things outside.
() => {
  const mm = Number.parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--mm"));
  const wrong = [];
  const name = (element) => element.outerHTML.slice(0, 110);
  // What lies under a page over the whole screen is not there for anybody.
  const cover = document.querySelector("#cover:not([hidden])");
  const shown = (element) => element.checkVisibility({ visibilityProperty: true }) && element.getBoundingClientRect().width > 2
    && (!cover || cover.contains(element));
  const buttons = [...document.querySelectorAll("button")].filter(shown);
  const scrolls = (element) => element.closest(".sessions, .side, .choices, .lines");
  // A unit out of service, or that nobody has let in yet, has nobody to call: its page is read and little else.
  const alone = ["halted", "enrol"].includes(document.body.dataset.view);
  if (!cover && !alone && !buttons.some((button) => button.dataset.touch === "help")) wrong.push("no Help");
  for (const button of buttons) {
    const box = button.getBoundingClientRect();
    const least = button.matches(".main:not(.sessions .main)") ? 25 : 16;
    if (box.height < least * mm - 0.5 || box.width < least * mm - 0.5) wrong.push(`small ${name(button)}`);
    if (button.scrollWidth > button.clientWidth + 1) wrong.push(`label outside ${name(button)}`);
    if (!scrolls(button) && (box.right > innerWidth || box.bottom > innerHeight || box.left < 0 || box.top < 0)) wrong.push(`outside ${name(button)}`);
    for (const other of buttons) {
      if (other === button || document.getElementById("panel").contains(other) !== document.getElementById("panel").contains(button)) continue;
      const b = other.getBoundingClientRect();
      const across = Math.max(b.left - box.right, box.left - b.right);
      const down = Math.max(b.top - box.bottom, box.top - b.bottom);
      if (!scrolls(other) && !scrolls(button) && Math.max(across, down) < 3 * mm - 0.5) wrong.push(`close ${name(button)} ${name(other)}`);
    }
  }
  const parse = (text) => { const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number); return { r, g, b, a }; };
  const light = ({ r, g, b }) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.a > 0.8) return colour;
    }
    return parse("rgb(255, 255, 255)");
  };
  for (const element of document.querySelectorAll("h1, p, span, li, figcaption")) {
    const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!own || !shown(element)) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 7) wrong.push(`faint ${((a + 0.05) / (b + 0.05)).toFixed(1)} ${name(element)}`);
    const box = element.getBoundingClientRect();
    if (!scrolls(element) && (box.right > innerWidth + 1 || box.bottom > innerHeight + 1 || box.left < -1 || box.top < -1)) wrong.push(`outside ${name(element)}`);
  }
  return wrong;
}
