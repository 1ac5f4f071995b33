// Reads and draws the millisecond clock that agent/media/clock_pattern.py draws along the top of a picture; the
// format is described there. Plain script: load it with a <script> tag or page.add_script_tag.
//
//   context.drawImage(video, 0, 0, canvas.width, canvas.height);
//   const strip = context.getImageData(0, 0, canvas.width, Math.ceil(canvas.height / 18));
//   const value = readClock(strip, canvas.height);               // milliseconds modulo 2^24, or null
//   const latency = value === null ? null : clockAge(value, Date.now());

const CLOCK_CELLS = 32;
const CLOCK_ROWS_IN_HEIGHT = 18;
const CLOCK_MODULO_MS = 1 << 24;
// Pages see full-range RGB: luma 160 and 96 of the narrow range become 168 and 93.
const CLOCK_DARKEST_WHITE = 168;
const CLOCK_LIGHTEST_BLACK = 93;

// imageData: the picture, or only its top strip; pictureHeight: the whole picture's height in pixels.
function readClock(imageData, pictureHeight = imageData.height) {
  const rowHeight = pictureHeight / CLOCK_ROWS_IN_HEIGHT;
  const cellWidth = imageData.width / CLOCK_CELLS;
  const top = Math.floor(rowHeight / 4);
  const bottom = Math.min(imageData.height, Math.max(top + 1, Math.floor((rowHeight * 3) / 4)));
  const bits = [];
  for (let cell = 0; cell < CLOCK_CELLS; cell += 1) {
    const left = Math.floor((cell + 0.25) * cellWidth);
    const right = Math.max(left + 1, Math.floor((cell + 0.75) * cellWidth));
    let sum = 0;
    for (let y = top; y < bottom; y += 1) {
      for (let x = left; x < right; x += 1) {
        sum += imageData.data[(y * imageData.width + x) * 4 + 1]; // green carries most of the luma
      }
    }
    const mean = sum / ((bottom - top) * (right - left));
    if (mean > CLOCK_LIGHTEST_BLACK && mean < CLOCK_DARKEST_WHITE) return null;
    bits.push(mean >= CLOCK_DARKEST_WHITE ? 1 : 0);
  }
  if (bits[0] !== 1 || bits[1] !== 0 || bits[30] !== 0 || bits[31] !== 1) return null;
  const number = (list) => list.reduce((value, bit) => value * 2 + bit, 0);
  const value = number(bits.slice(2, 26));
  let check = 0b1010;
  for (let shift = 0; shift < 24; shift += 4) check ^= (value >> shift) & 0xf;
  return check === number(bits.slice(26, 30)) ? value : null;
}

// Milliseconds between the clock's value and now (Unix time in ms), within half of the modulus.
function clockAge(value, now) {
  const age = (((now - value) % CLOCK_MODULO_MS) + CLOCK_MODULO_MS) % CLOCK_MODULO_MS;
  return age > CLOCK_MODULO_MS / 2 ? age - CLOCK_MODULO_MS : age;
}

// The format of agent/media/clock_pattern.py, into a picture's first plane (luma), chroma made neutral.
function drawClock(pixels, layout, width, height, value) {
  const bits = clockBits(value);
  const rows = Math.floor(height / CLOCK_ROWS_IN_HEIGHT);
  const row = new Uint8Array(width);
  for (let x = 0; x < width; x += 1) row[x] = bits[Math.floor((x * CLOCK_CELLS) / width)] ? 235 : 16;
  for (let y = 0; y < rows; y += 1) pixels.set(row, layout[0].offset + y * layout[0].stride);
  for (const { offset, stride } of layout.slice(1)) pixels.fill(128, offset, offset + stride * (rows >> 1));
}

function clockBits(unixMilliseconds) {
  const value = unixMilliseconds % CLOCK_MODULO_MS;
  let check = 0b1010;
  for (let shift = 0; shift < 24; shift += 4) check ^= (value >> shift) & 0xf;
  const digits = `10${value.toString(2).padStart(24, "0")}${check.toString(2).padStart(4, "0")}01`;
  return [...digits].map(Number);
}
