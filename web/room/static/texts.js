// The catalogue, times and countdowns in the language that is chosen.

const INTL = { sv: "sv-SE", en: "en-GB" };
let catalogues = {};
let language = "sv";
const timeZone = document.body.dataset.timeZone;

export async function loadTexts() {
  const response = await fetch("/api/languages");
  if (!response.ok) throw new Error(`texts: ${response.status}`);
  catalogues = await response.json();
}

export function setLanguage(code) {
  language = catalogues[code] ? code : Object.keys(catalogues)[0];
  document.documentElement.lang = language;
  document.documentElement.dir = t("language.direction");
}

export function hasLanguage(code) {
  return code in catalogues;
}

export function textIn(code, key, values = {}) {
  const text = catalogues[code]?.[key] ?? catalogues.sv?.[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? unbroken(name, values[name]) : whole));
}

// A telephone number is read in one go: it stays on one line.
function unbroken(name, value) {
  return name === "phone" ? String(value).replaceAll(" ", "\u00a0") : String(value);
}

export function t(key, values) {
  return textIn(language, key, values);
}

// A text chosen by a value from the document, with a fallback for values this page does not know yet.
export function tOf(family, value, fallback, values) {
  const key = `${family}.${value}`;
  return key in (catalogues[language] ?? {}) ? t(key, values) : fallback;
}

export function clock(moment) {
  const how = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone };
  return new Intl.DateTimeFormat(INTL[language] ?? language, how).format(moment);
}

export function longDate(moment) {
  const how = { weekday: "long", day: "numeric", month: "long", timeZone };
  return new Intl.DateTimeFormat(INTL[language] ?? language, how).format(moment);
}

export function countdown(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

// "in 5 minutes", in the language's own words.
export function inMinutes(minutes) {
  return new Intl.RelativeTimeFormat(INTL[language] ?? language, { numeric: "always" }).format(minutes, "minute");
}

// A list as the language writes it: "a, b and c".
export function listed(words) {
  return new Intl.ListFormat(INTL[language] ?? language).format(words);
}
