"""Encoded sources for tests: a drawn picture with a moving bar, and a tone; encoded by PyAV."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from fractions import Fraction

import av
import numpy as np

from agent.media.source import Codec, EncodedFrame, EncodingTarget


class _Source:
    codec: Codec
    clock_rate: int

    def __init__(self) -> None:
        self.listeners: list[Callable[[EncodedFrame], None]] = []
        self.targets: list[EncodingTarget] = []
        self.keyframe_requests = 0
        self.skipped_until = 0.0

        self.expected_losses: list[float] = []

    def subscribe(self, listener: Callable[[EncodedFrame], None]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def request_keyframe(self) -> None:
        self.keyframe_requests += 1

    def set_target(self, target: EncodingTarget) -> None:
        self.targets.append(target)

    def skip_until(self, at: float) -> None:
        self.skipped_until = at

    def set_expected_loss(self, fraction: float) -> None:
        self.expected_losses.append(fraction)

    def emit(self, frame: EncodedFrame) -> None:
        for listener in list(self.listeners):
            listener(frame)


class SilentSource(_Source):
    """Emits only what a test hands to emit()."""

    def __init__(self, codec: Codec) -> None:
        super().__init__()
        self.codec = codec
        self.clock_rate = 48000 if codec == "opus" else 90000


class TestPicture(_Source):
    """H.264 at 30 frames/s, encoded on the loop; for end-to-end tests only."""

    __test__ = False
    codec: Codec = "H264"
    clock_rate = 90000

    def __init__(self, width: int = 1280, height: int = 720, bit_rate: int = 1_500_000) -> None:
        super().__init__()
        self._encoder = av.CodecContext.create("libx264", "w")
        self._encoder.width, self._encoder.height = width, height
        self._encoder.pix_fmt = "yuv420p"
        self._encoder.bit_rate = bit_rate
        self._encoder.time_base = Fraction(1, 90000)
        self._encoder.framerate = Fraction(30)
        self._encoder.thread_count = 1
        self._encoder.options = {
            "preset": "superfast",
            "tune": "zerolatency",
            "profile": "baseline",
            "level": "31",
            "x264-params": "keyint=infinite:scenecut=0:annexb=1:vbv-maxrate=1500:vbv-bufsize=750",
        }
        rng = np.random.default_rng(1)
        rows, columns = height * 3 // 2, width
        blocks = rng.integers(60, 190, (-(-rows // 8), -(-columns // 8)), dtype=np.uint8)
        self._backdrop = blocks.repeat(8, 0).repeat(8, 1)[:rows, :columns]
        self.height = height
        self.frames = 0
        self._keyframe_at = 0.0
        self._wants_keyframe = True

    def request_keyframe(self) -> None:
        super().request_keyframe()
        self._wants_keyframe = True

    def set_target(self, target: EncodingTarget) -> None:
        super().set_target(target)
        self._encoder.bit_rate = target.bit_rate

    async def run(self) -> None:
        start = time.monotonic()
        while True:
            await asyncio.sleep(max(0.0, start + self.frames / 30 - time.monotonic()))
            now = time.monotonic()
            picture = self._backdrop.copy()
            bar = self.frames * 7 % (picture.shape[1] - 40)
            picture[: self.height, bar : bar + 40] = 235
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts = self.frames * 3000
            frame.time_base = Fraction(1, 90000)
            if self._wants_keyframe and now - self._keyframe_at >= 0.5:
                self._wants_keyframe, self._keyframe_at = False, now
                frame.pict_type = av.video.frame.PictureType.I
            self.frames += 1
            if not self.listeners:
                continue
            for packet in self._encoder.encode(frame):
                self.emit(EncodedFrame(bytes(packet), packet.pts, now, packet.is_keyframe))


class TestTone(_Source):
    """A 440 Hz tone as 20 ms Opus packets."""

    __test__ = False
    codec: Codec = "opus"
    clock_rate = 48000

    def __init__(self) -> None:
        super().__init__()
        self._encoder = av.CodecContext.create("libopus", "w")
        self._encoder.sample_rate = 48000
        self._encoder.layout = "mono"
        self._encoder.format = "s16"
        self._encoder.bit_rate = 32000
        self._encoder.options = {
            "application": "voip",
            "frame_duration": "20",
            "fec": "1",
            "packet_loss": "5",
        }

    async def run(self) -> None:
        start, count = time.monotonic(), 0
        while True:
            await asyncio.sleep(max(0.0, start + count * 0.02 - time.monotonic()))
            now = time.monotonic()
            t = (np.arange(960) + count * 960) / 48000
            samples = (np.sin(2 * np.pi * 440 * t) * 8000).astype(np.int16).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            frame.sample_rate, frame.pts = 48000, count * 960
            frame.time_base = Fraction(1, 48000)
            count += 1
            for packet in self._encoder.encode(frame):
                self.emit(EncodedFrame(bytes(packet), packet.pts, now, True))
