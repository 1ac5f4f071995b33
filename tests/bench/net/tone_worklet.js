// Says at which frame of the context's clock the film's tone begins (footage.py): nothing else in it is so loud.

const LOUD = 0.45;
const QUIET_S = 0.6;

class ToneListener extends AudioWorkletProcessor {
  #heard = -Infinity;

  process([[samples] = []]) {
    if (!samples) return true;
    for (let index = 0; index < samples.length; index += 1) {
      const frame = currentFrame + index;
      if (Math.abs(samples[index]) < LOUD) continue;
      if (frame - this.#heard > QUIET_S * sampleRate) this.port.postMessage(frame);
      this.#heard = frame;
    }
    return true;
  }
}

registerProcessor("tone-listener", ToneListener);
