// What this page says of its own person. Kept in the page's memory only, and told to the others over the data channels.

import { byId } from "./page.js";

const FIELDS = ["name", "title", "organisation"];

const read = () => Object.fromEntries(FIELDS.map((field) => [field, byId(`own-${field}`).value.trim()]));

/** `onChange(own)` runs at once and when something has been changed. */
export function startNames(onChange) {
  for (const field of FIELDS) byId(`own-${field}`).addEventListener("change", () => onChange(read()));
  onChange(read());
}
