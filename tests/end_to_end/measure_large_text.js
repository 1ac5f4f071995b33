// What is lost when text is large: cut words, words out of reach, buttons over one another, Help out of sight.
() => {
  const wrong = [];
  const name = (element) => element.outerHTML.replace(/<span class="icon"[^>]*><\/span>/, "").slice(0, 120);
  const shown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true })
    && element.getBoundingClientRect().width > 2 && !element.closest("[inert], .unseen");
  const box = (element) => element.getBoundingClientRect();
  const scrolls = (element, axis) => {
    for (let at = element.parentElement; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (["auto", "scroll"].includes(axis === "y" ? style.overflowY : style.overflowX)) return at;
    }
    return null;
  };
  const wide = (element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    return range.getBoundingClientRect();
  };
  for (const label of document.querySelectorAll("button .label, h1, p, li, figcaption span")) {
    if (!label.textContent.trim() || !shown(label) || [...label.children].some((child) => child.matches("p, li"))) continue;
    const owner = label.closest("button") ?? label;
    const words = wide(label);
    const limit = box(owner);
    const style = getComputedStyle(owner);
    const meansToCut = style.textOverflow === "ellipsis" || label.closest(".unseen, h1.unseen");
    const isHidden = getComputedStyle(label).clipPath !== "none";
    if (meansToCut || isHidden || words.width === 0) continue;
    // A space that ends a line hangs outside its box.
    const space = style.whiteSpace === "pre-wrap" ? Number.parseFloat(style.fontSize) / 2 : 2;
    if (words.right > limit.right + space || words.left < limit.left - space || words.bottom > limit.bottom + Number.parseFloat(style.fontSize) / 4) wrong.push(`cut ${name(owner)}`);
    if ((words.right > innerWidth + 1 || words.left < -1) && !scrolls(owner, "x")) wrong.push(`outside ${name(owner)}`);
    if ((words.bottom > innerHeight + 1 || words.top < -1) && !scrolls(owner, "y")) wrong.push(`above or below ${name(owner)}`);
  }
  const buttons = [...document.querySelectorAll("button")].filter(shown);
  const seen = (button) => {
    const { left, right, top, bottom } = box(button);
    return left >= -1 && right <= innerWidth + 1 && top >= -1 && bottom <= innerHeight + 1;
  };
  const help = buttons.find((button) => button.dataset.touch === "help");
  const halted = document.body.dataset.view === "halted";
  if (!halted && !document.querySelector("#cover:not([hidden])") && !(help && seen(help))) wrong.push("Help is out of sight");
  const main = buttons.filter((button) => button.matches("#main button.main") && !button.closest(".choices, .sessions, .side, .sheet"));
  if (main.length && !main.some(seen)) wrong.push(`main action out of sight ${name(main[0])}`);
  for (const [place, one] of buttons.entries()) {
    for (const other of buttons.slice(place + 1)) {
      if (one.closest("#panel, #cover, .sound-box") !== other.closest("#panel, #cover, .sound-box")) continue;
      const sticky = [one, other].some((button) => getComputedStyle(button).position === "sticky");
      const [a, b] = [box(one), box(other)];
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (!sticky && scrolls(one, "y") === scrolls(other, "y") && across > 1 && down > 1) wrong.push(`over one another ${name(one)} ${name(other)}`);
    }
  }
  return [...new Set(wrong)];
}
