// Our own camera and microphone.

const CAMERA = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
const SMALL_CAMERA = { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 20 } }; // as limits.js has it
const MICROPHONE = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const ABSENT = ["NotFoundError", "OverconstrainedError"];

/** The text that explains an error of getUserMedia in plain words. */
function explain(error) {
  if (error.name === "NotAllowedError" || error.name === "SecurityError") return "denied";
  return ABSENT.includes(error.name) ? "no_devices" : "in_use";
}

export class Devices {
  audio = null;
  video = null;
  #wanted = { audioinput: "", videoinput: "" };
  #small = false;

  /** Open both, or what there is; returns the key of a text when something is missing, else null. */
  async open() {
    if (!navigator.mediaDevices) return "insecure";
    try {
      this.#keep(await navigator.mediaDevices.getUserMedia({ audio: this.#ask("audio"), video: this.#ask("video") }));
      return null;
    } catch (error) {
      if (explain(error) === "denied") return "denied";
      return this.#openApart(error);
    }
  }

  /** One kind anew, as after choosing another device. Returns the key of a text, or null. */
  async reopen(kind) {
    try {
      this.close(kind);
      this.#keep(await navigator.mediaDevices.getUserMedia({ [kind]: this.#ask(kind) }));
      return null;
    } catch (error) {
      return explain(error) === "denied" ? "denied" : "in_use";
    }
  }

  /** Stop a kind; its lamp goes out. */
  close(kind) {
    this[kind]?.stop();
    this[kind] = null;
  }

  choose(deviceKind, id) {
    this.#wanted[deviceKind] = id;
  }

  /** Take pictures no larger than they are sent: each connection would scale them down anew. Whether that changed. */
  async fit(small) {
    if (small === this.#small) return false;
    this.#small = small;
    await this.video?.applyConstraints(this.#ask("video")).catch(() => {}); // a camera that cannot stays as it is
    return true;
  }

  list() {
    return navigator.mediaDevices?.enumerateDevices() ?? [];
  }

  async #openApart(error) {
    const sound = await this.reopen("audio");
    const picture = await this.reopen("video");
    if (!sound && !picture) return null;
    if (explain(error) === "in_use") return "in_use";
    if (!sound) return "no_camera";
    return picture ? "no_devices" : "in_use";
  }

  #ask(kind) {
    const id = this.#wanted[`${kind}input`];
    const wishes = kind === "audio" ? MICROPHONE : this.#small ? SMALL_CAMERA : CAMERA;
    return id ? { ...wishes, deviceId: { exact: id } } : wishes;
  }

  #keep(stream) {
    for (const track of stream.getTracks()) {
      this.close(track.kind);
      this[track.kind] = track;
    }
  }
}
