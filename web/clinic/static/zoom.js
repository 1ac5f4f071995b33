// Where the room's camera looks, as a part of all that its sensor sees: x, y, width and height in 0..1. Pure.
// Width and height are always the same part, so that nothing is stretched; null is all of it.

export const WHOLE = { x: 0, y: 0, width: 1, height: 1 };
const LEAST = 0.1; // a tenth of the sensor's width: less is nothing but dots
const STEP = 0.7;
const PAN = 0.25; // of what is seen

const within = (value, least, most) => Math.min(most, Math.max(least, value));

/** The same within the sensor, never smaller than the least; null when it is all of it. */
export function tidy({ x, y, width, height }) {
  const size = within(Math.max(width, height), LEAST, 1);
  if (size > 0.98) return null;
  const along = (at, length) => Number(within(at + length / 2 - size / 2, 0, 1 - size).toFixed(4));
  return { x: along(x, width), y: along(y, height), width: Number(size.toFixed(4)), height: Number(size.toFixed(4)) };
}

/** Nearer (1) or farther (-1), around the middle. */
export function step(zoom, way) {
  const { x, y, width, height } = zoom ?? WHOLE;
  const [w, h] = [width * STEP ** way, height * STEP ** way];
  return tidy({ x: x + width / 2 - w / 2, y: y + height / 2 - h / 2, width: w, height: h });
}

/** Aside by a part of what is seen: across -1, 0 or 1 to the right, down likewise. */
export function pan(zoom, across, down) {
  const { x, y, width, height } = zoom ?? WHOLE;
  return tidy({ x: x + across * PAN * width, y: y + down * PAN * height, width, height });
}

/** A rectangle drawn on what is seen now (0..1 of the picture). */
export function into(zoom, rectangle) {
  const { x, y, width, height } = zoom ?? WHOLE;
  return tidy({
    x: x + rectangle.x * width,
    y: y + rectangle.y * height,
    width: rectangle.width * width,
    height: rectangle.height * height,
  });
}

/** Where a picture lies in a box that holds all of it (CSS object-fit: contain), in the box's pixels. */
export function contained(box, picture) {
  const scale = Math.min(box.width / picture.width, box.height / picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale];
  return { x: (box.width - width) / 2, y: (box.height - height) / 2, width, height };
}
