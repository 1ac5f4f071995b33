// The catalogue, times, counts and countdowns in the language that is chosen.

// Digits are the ones on the keypad in every language; a language that the browser does not know takes a neighbour.
const INTL = { sv: "sv-SE", en: "en-GB", fi: "fi-FI", ar: "ar-u-nu-latn", se: ["se-SE", "sv-SE"], so: ["so-u-nu-latn", "en-GB"] };
const ISOLATED = ["\u2068", "\u2069"]; // FIRST STRONG ISOLATE and its end (Unicode UAX 9)
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
  const texts = catalogues[code] ?? {};
  const text = texts[key] ?? catalogues.sv?.[key] ?? key;
  const rightToLeft = texts["language.direction"] === "rtl";
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? filled(name, values[name], rightToLeft) : whole));
}

// A telephone number is read in one go: it stays on one line. Among words that run from right to left, what is
// filled in keeps its own direction, or a number's groups would change places.
function filled(name, value, rightToLeft) {
  const text = name === "phone" ? String(value).replaceAll(" ", "\u00a0").replaceAll("-", "\u2011") : String(value);
  return rightToLeft ? ISOLATED.join(text) : text;
}

export function t(key, values) {
  return textIn(language, key, values);
}

// A text with a count, in the form that the language has for it: `tries.one`, `tries.few`, else `tries`.
export function tn(key, count, values = {}) {
  const form = `${key}.${new Intl.PluralRules(INTL[language] ?? language).select(count)}`;
  return t(form in (catalogues[language] ?? {}) ? form : key, { count, ...values });
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
