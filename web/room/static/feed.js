// The state feed. EventSource reconnects by itself except after an HTTP error, where it gives up: we do not.

const RETRY_MS = 1000;
const LOST_AFTER_MS = 2500; // said within 3 s

export class Feed {
  constructor({ onScreen, onLevel, onState }) {
    this.handlers = { onScreen, onLevel, onState };
    this.lostTimer = null;
    this.state = "open";
  }

  open() {
    const source = new EventSource("/api/feed");
    source.addEventListener("screen", (event) => {
      this.found();
      this.handlers.onScreen(JSON.parse(event.data));
    });
    source.addEventListener("px_per_mm", (event) => {
      // The screen's size was set anew: everything is laid out in millimetres.
      document.documentElement.style.setProperty("--mm", `${Number(event.data)}px`);
    });
    source.addEventListener("level", (event) => this.handlers.onLevel(Number(event.data)));
    source.onerror = () => {
      this.lostTimer ??= setTimeout(() => this.lost(), LOST_AFTER_MS);
      if (source.readyState === EventSource.CLOSED) setTimeout(() => this.open(), RETRY_MS);
    };
  }

  found() {
    clearTimeout(this.lostTimer);
    this.lostTimer = null;
    this.tell("open");
  }

  async lost() {
    this.tell("lost");
    // An agent that answers but no longer knows our secret: only a new start of the browser helps.
    try {
      if ((await fetch("/api/screen")).status === 403 && this.state !== "open") this.tell("shut");
    } catch {
      // Still away.
    }
    if (this.state !== "open") this.lostTimer = setTimeout(() => this.lost(), LOST_AFTER_MS);
  }

  tell(state) {
    if (state === this.state) return;
    this.state = state;
    this.handlers.onState(state);
  }
}
