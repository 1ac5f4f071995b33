"""The page's listener hears each of the film's tones once, where node is there to run it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.bench.film import AUDIO_RATE_HZ, FRAME_RATE
from tests.bench.net.footage import TONE_AT_PICTURE, TONE_EVERY_PICTURES, film_sound

LISTENER = Path(__file__).parent / "tone_worklet.js"
BLOCK = 128  # W3C Web Audio: the render quantum
PICTURES = 132
HARNESS = """
globalThis.sampleRate = 48000;
globalThis.currentFrame = 0;
const heard = [];
globalThis.AudioWorkletProcessor = class { port = { postMessage: (frame) => heard.push(frame) }; };
let Listener;
globalThis.registerProcessor = (_name, made) => { Listener = made; };
"""
PLAY = """
const bytes = require('fs').readFileSync(0);
const samples = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
const listener = new Listener();
listener.process([[]]);
for (; currentFrame < samples.length; currentFrame += 128) {
  listener.process([[samples.subarray(currentFrame, currentFrame + 128)]]);
}
console.log(JSON.stringify(heard));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_each_tone_is_heard_once_when_it_begins() -> None:
    samples = (film_sound(PICTURES) / 32768).astype(np.float32)
    script = HARNESS + LISTENER.read_text("utf-8") + PLAY
    done = subprocess.run(["node", "-e", script], input=samples.tobytes(), capture_output=True, check=True)
    heard = json.loads(done.stdout)
    begins = [
        picture * AUDIO_RATE_HZ // FRAME_RATE
        for picture in range(TONE_AT_PICTURE, PICTURES, TONE_EVERY_PICTURES)
    ]
    late = [frame - begin for frame, begin in zip(heard, begins, strict=True)]
    assert all(0 <= frames < AUDIO_RATE_HZ // 1000 for frames in late)
