// A still picture on its way over the call's data channel: its head, then its bytes, then proof that they are all there.

const MOST_BYTES = 64 * 1024 * 1024;
const DIGEST = /^[0-9a-f]{64}$/;

export class StillReceiver {
  #head = null;
  #parts = [];
  #got = 0;

  get waiting() {
    return this.#head !== null;
  }

  /** The head of a still; false when it cannot be one. */
  begin({ id, mime, width, height, bytes, sha256 }) {
    this.drop();
    const right = mime === "image/jpeg" && Number.isInteger(bytes) && bytes > 0 && bytes <= MOST_BYTES && DIGEST.test(sha256);
    if (right) this.#head = { id, mime, width, height, bytes, sha256 };
    return right;
  }

  /** Some of its bytes (ArrayBuffer). Resolves to the whole still once it is here, null before; rejects when it is not what its head says. */
  async add(part) {
    const head = this.#head;
    if (!head) return null;
    this.#parts.push(part);
    this.#got += part.byteLength;
    if (this.#got < head.bytes) return null;
    const [blob, size] = [new Blob(this.#parts, { type: head.mime }), this.#got];
    this.drop();
    if (size !== head.bytes) throw new Error("a still of another size than was said");
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
    const hex = [...digest].map((n) => n.toString(16).padStart(2, "0")).join("");
    if (hex !== head.sha256) throw new Error("a still that was changed on its way");
    return { ...head, blob };
  }

  drop() {
    this.#head = null;
    this.#parts = [];
    this.#got = 0;
  }
}
