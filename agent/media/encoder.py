"""One video encoder shared by every party, in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, replace
from threading import Condition, Thread

from agent.media.broadcast import Broadcast
from agent.media.device import RawPicture
from agent.media.encoder_chain import EncoderChain, Opener, Payload
from agent.media.frame_rate import FrameRateLimiter
from agent.media.overuse import OveruseDetector
from agent.media.pixels import copied
from agent.media.pulse import Move, pulse
from agent.media.rate_governor import RateGovernor
from agent.media.source import VIDEO_CLOCK_RATE_HZ, Codec, EncodedFrame, EncodingTarget, Listener, Unsubscribe
from agent.media.video_codec import ENCODERS, PictureForm, open_encoder

log = logging.getLogger(__name__)

KEYFRAME_SPACING_S = 0.5  # requests from several parties at once are joined
JOIN_TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """Encoders by name in order of preference, the camera's form, and where the bitrate (bit/s) starts.

    shares_pictures: another encoder writes its stamps on the same pictures, so this one takes copies.
    """

    names: tuple[str, ...]
    form: PictureForm
    bit_rate: int
    shares_pictures: bool = False


@dataclass(frozen=True, slots=True)
class EncoderStats:
    """What the encoder did so far. encoder is None before the first picture, and while the whole chain
    fails."""

    encoder: str | None
    frames_encoded: int
    frames_dropped: int
    keyframes: int
    failures: int
    bytes_encoded: int
    bit_rate: int
    width: int  # of the last picture, which may be smaller than what was asked for
    height: int
    encode_ms: float
    alive_at: float


class VideoEncoder:
    """An EncodedSource of H.264 or VP8. It encodes only while somebody listens; the newest picture wins."""

    clock_rate = VIDEO_CLOCK_RATE_HZ

    def __init__(
        self, loop: asyncio.AbstractEventLoop, settings: EncoderSettings, opener: Opener = open_encoder
    ) -> None:
        kinds = [ENCODERS[name] for name in settings.names]
        self.codec: Codec = kinds[0].codec
        self._broadcast = Broadcast(loop, on_first=self._force_keyframe)
        self._copies = settings.shares_pictures
        self._changed = Condition()
        self._waiting: RawPicture | None = None
        self._target = EncodingTarget(
            settings.bit_rate, settings.form.frame_rate, settings.form.width, settings.form.height
        )
        self._keyframe_wanted, self._keyframe_now = False, False
        self._skip_until = 0.0
        self._stopping = False
        self._thread: Thread | None = None
        self._limiter = FrameRateLimiter(settings.form.frame_rate)
        self._governor = RateGovernor()
        self._overuse = OveruseDetector()
        self._chain = EncoderChain(kinds, settings.form, opener)
        self._last_keyframe_at = float("-inf")
        self._last_timestamp = -1
        self._dropped = self._encoded = self._keyframes = self._bytes = 0
        self._encode_s = 0.0
        self._alive_at = time.monotonic()

    def subscribe(self, listener: Listener) -> Unsubscribe:
        """See EncodedSource. The first listener starts the encoder and gets a keyframe at once."""
        if self._thread is None and not self._stopping:
            self._thread = Thread(target=self._run, name=f"encoder-{self.codec}", daemon=True)
            self._thread.start()
        return self._broadcast.subscribe(listener)

    def request_keyframe(self) -> None:
        """See EncodedSource."""
        self._keyframe_wanted = True

    def set_target(self, target: EncodingTarget) -> None:
        """See EncodedSource. The size is never above the camera's, and made even."""
        self._target = target

    def skip_until(self, at: float) -> None:
        """See EncodedSource. A picture for which a keyframe is due is left out too, and its keyframe comes
        with the next."""
        self._skip_until = at

    def set_expected_loss(self, fraction: float) -> None:
        """A picture is repaired by retransmission."""

    def offer(self, picture: RawPicture) -> None:
        """Give a picture, from any thread. One that has not been begun yet gives way to it."""
        if not self._broadcast.has_listeners:
            return
        with self._changed:
            if self._waiting is not None:
                self._dropped += 1
            self._waiting = picture
            self._changed.notify()

    def stop(self) -> None:
        """End the thread and wait for it; may block for as long as one picture takes."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(JOIN_TIMEOUT_S)
            self._thread = None

    def stats(self) -> EncoderStats:
        """Counters, from any thread. encode_ms is the mean per picture, waiting for the processor
        included."""
        mean_ms = self._encode_s / self._encoded * 1000 if self._encoded else 0.0
        width, height = self._chain.size
        return EncoderStats(
            encoder=self._chain.name,
            frames_encoded=self._encoded,
            frames_dropped=self._dropped,
            keyframes=self._keyframes,
            failures=self._chain.failures,
            bytes_encoded=self._bytes,
            bit_rate=self._target.bit_rate,
            width=width,
            height=height,
            encode_ms=mean_ms,
            alive_at=self._alive_at,
        )

    def _force_keyframe(self) -> None:
        self._keyframe_now = True

    def _run(self) -> None:
        with pulse(f"encoder {self.codec}", lasting=True) as move:
            self._encode_all(move)

    def _encode_all(self, move: Move) -> None:
        while (picture := self._next(move)) is not None:
            target = self._overuse.bounded(self._target)
            self._limiter.set_rate(target.frame_rate)
            self._governor.passed(picture.captured_at, target.bit_rate)
            if self._governor.skips(target.bit_rate):
                self._dropped += 1
            elif picture.captured_at >= self._skip_until and self._limiter.keeps(picture.captured_at):
                if self._chain.follows_at_once:
                    target = replace(target, bit_rate=self._governor.asked(target.bit_rate))
                self._encode(picture, target)
            self._alive_at = time.monotonic()
        self._chain.close()

    def _next(self, move: Move) -> RawPicture | None:
        with self._changed:
            move(False)
            self._changed.wait_for(lambda: self._stopping or self._waiting is not None)
            move()
            picture, self._waiting = self._waiting, None
            return None if self._stopping else picture

    def _encode(self, picture: RawPicture, target: EncodingTarget) -> None:
        started = time.perf_counter()
        keyframe = self._keyframe_due()
        timestamp = max(round(picture.captured_at * VIDEO_CLOCK_RATE_HZ), self._last_timestamp + 1)
        frame = copied(picture.frame) if self._copies else picture.frame
        payloads = self._chain.encode(frame, timestamp, keyframe, target, self._limiter.rate)
        if payloads is None:
            self._keyframe_now = True
            self._dropped += 1
            return
        self._last_timestamp = timestamp
        self._encoded += 1
        took = time.perf_counter() - started
        self._encode_s += took
        self._overuse.add(took, self._chain.size[0], started + took)
        for payload in payloads:
            self._hand_out(payload)

    def _hand_out(self, payload: Payload) -> None:
        self._bytes += len(payload.data)
        self._governor.spent(len(payload.data) * 8)
        if payload.keyframe:
            self._keyframes += 1
            self._last_keyframe_at = time.monotonic()
        captured_at = payload.timestamp / VIDEO_CLOCK_RATE_HZ
        self._broadcast.send(EncodedFrame(payload.data, payload.timestamp, captured_at, payload.keyframe))

    def _keyframe_due(self) -> bool:
        spaced = time.monotonic() - self._last_keyframe_at >= KEYFRAME_SPACING_S
        if self._keyframe_now or (self._keyframe_wanted and spaced):
            self._keyframe_now = self._keyframe_wanted = False
            return True
        return False
