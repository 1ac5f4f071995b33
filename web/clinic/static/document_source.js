// Pictures chosen on this computer, drawn on a canvas whose stream is what the others see. Nothing is uploaded.

const WIDTH = 1920;
const HEIGHT = 1080;
const REPAINT_MS = 500; // a canvas that stands still sends nothing, and someone who comes late would see nothing
const MOST_SCALE = 8;
const STEP = 1.5;

/** Where a picture lies on the canvas: whole at scale 1, around `at` (0..1 of the picture) when larger. */
export function place(picture, scale, at) {
  const fit = Math.min(WIDTH / picture.width, HEIGHT / picture.height) * scale;
  const [width, height] = [picture.width * fit, picture.height * fit];
  const along = (size, room, middle) => (size <= room ? (room - size) / 2 : Math.min(0, Math.max(room - size, room / 2 - middle * size)));
  return { x: along(width, WIDTH, at.x), y: along(height, HEIGHT, at.y), width, height };
}

export class DocumentSource {
  #pictures = [];
  #index = 0;
  #scale = 1;
  #at = { x: 0.5, y: 0.5 };
  #timer = 0;
  canvas = document.createElement("canvas");
  stream = null;

  /** Open image files; rejects when none of them is a picture that the browser can read. */
  async open(files) {
    const opened = await Promise.allSettled([...files].map((file) => createImageBitmap(file)));
    this.#pictures = opened.filter(({ status }) => status === "fulfilled").map(({ value }) => value);
    if (!this.#pictures.length) throw new Error("none of the files is a picture");
    [this.canvas.width, this.canvas.height] = [WIDTH, HEIGHT];
    this.#paint();
    this.stream = this.canvas.captureStream();
    this.#timer = setInterval(() => this.#touch(), REPAINT_MS);
    return this.stream.getVideoTracks()[0];
  }

  /** Which picture is shown, of how many. */
  get page() {
    return { number: this.#index + 1, of: this.#pictures.length };
  }

  turn(by) {
    this.#index = (this.#index + by + this.#pictures.length) % this.#pictures.length;
    this.zoom(0);
  }

  /** Nearer (1), farther (-1) or whole (0). */
  zoom(way) {
    this.#scale = way === 0 ? 1 : Math.min(MOST_SCALE, Math.max(1, this.#scale * STEP ** way));
    if (this.#scale === 1) this.#at = { x: 0.5, y: 0.5 };
    this.#paint();
  }

  /** Bring this point of the canvas (0..1) to the middle. */
  centre({ x, y }) {
    const lies = place(this.#picture, this.#scale, this.#at);
    const within = (value) => Math.min(1, Math.max(0, value));
    this.#at = { x: within((x * WIDTH - lies.x) / lies.width), y: within((y * HEIGHT - lies.y) / lies.height) };
    this.#paint();
  }

  close() {
    clearInterval(this.#timer);
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    for (const picture of this.#pictures) picture.close();
    this.#pictures = [];
    this.canvas.width = 1; // lets go of the pixels
  }

  get #picture() {
    return this.#pictures[this.#index];
  }

  // One dot in the corner: to draw a large picture anew takes a processor's tenth of a second.
  #touch() {
    const context = this.canvas.getContext("2d", { alpha: false });
    context.fillStyle = "#000";
    context.fillRect(WIDTH - 1, HEIGHT - 1, 1, 1);
  }

  #paint() {
    if (!this.#picture) return;
    const context = this.canvas.getContext("2d", { alpha: false });
    const { x, y, width, height } = place(this.#picture, this.#scale, this.#at);
    context.fillStyle = "#000";
    context.fillRect(0, 0, WIDTH, HEIGHT);
    context.imageSmoothingQuality = "high";
    context.drawImage(this.#picture, x, y, width, height);
  }
}
