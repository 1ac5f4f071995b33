"""The microphone's thread: reads 20 ms, measures its level, encodes it as Opus once for all.

Muted, what is captured is dropped at once, but for how loud it was, and encoded silence goes out instead; the
device stays open, so that unmuting is immediate and the echo canceller keeps what it has learnt. A device that is
gone, or was not there when it was to be opened, is opened again and again, and silence goes out meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from threading import Event, Thread

import numpy as np

from agent.media.broadcast import Broadcast
from agent.media.device import DeviceError, Microphone, Pace, RawSound
from agent.media.listening import Heard, Listening
from agent.media.microphone import BUFFER_S, FRAME_S, FRAME_SAMPLES, SILENCE_DBFS, level_dbfs
from agent.media.opus import ExpectedLoss, OpusEncoder
from agent.media.pulse import Move, pulse
from agent.media.source import (
    AUDIO_CLOCK_RATE_HZ,
    AUDIO_FRAME_MS,
    Codec,
    EncodedFrame,
    EncodingTarget,
    Listener,
    Unsubscribe,
)
from agent.media.speech import tone

log = logging.getLogger(__name__)

TONE_LEVEL_DBFS = -26.0
LEVEL_EVERY_FRAMES = 5  # a level ten times a second, the highest of its 100 ms, is what a meter can show
STEP_S = 0.1  # sound that comes later than this against its sample count had a gap: its timestamps jump too
RETRY_S = 1.0  # sound's own service is back within one or two
JOIN_TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True)
class SoundStats:
    """Packets encoded, the last level in dBFS, whether muted, the last fault, when the thread last moved, and the
    last second in numbers."""

    frames_encoded: int
    level_dbfs: float
    muted: bool
    fault: DeviceError | None
    alive_at: float
    heard: Heard | None = None


class SoundSource:
    """An EncodedSource of the microphone. One that is lost, or cannot be opened, is opened again."""

    codec: Codec = "opus"
    clock_rate = AUDIO_CLOCK_RATE_HZ

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        microphone: Microphone,
        on_level: Callable[[float], None] | None = None,
        tone_hz: float | None = None,
    ) -> None:
        self._loop = loop
        self._microphone = microphone
        self._on_level = on_level
        self._tone_hz = tone_hz
        self._broadcast = Broadcast(loop)
        self._stopping = Event()
        self._muted = False
        self._loss = ExpectedLoss()
        self._timeline = Timeline()
        self._levels: list[float] = []
        self._listening = Listening()
        self._encoded = 0
        self._level = SILENCE_DBFS
        self._fault: DeviceError | None = None
        self._alive_at = time.monotonic()
        self.opened: Future[None] = Future()
        self.opened.set_running_or_notify_cancel()  # who no longer waits for it does not take it back
        self._thread = Thread(target=self._run, name="microphone", daemon=True)

    def start(self) -> None:
        """Open the microphone in its thread; `opened` tells how that went the first time. It goes on in any
        case."""
        self._thread.start()

    def stop(self) -> None:
        """Close the microphone and wait for its thread; may block for a second."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(JOIN_TIMEOUT_S)

    def set_muted(self, muted: bool) -> None:
        """Send silence instead of what is captured, or stop doing so."""
        self._muted = muted

    def subscribe(self, listener: Listener) -> Unsubscribe:
        """See EncodedSource."""
        return self._broadcast.subscribe(listener)

    def request_keyframe(self) -> None:
        """Sound has none."""

    def set_target(self, target: EncodingTarget) -> None:
        """Sound keeps its rate: it is what a call can least do without, and small beside the picture."""

    def skip_until(self, at: float) -> None:
        """Sound is never left out."""

    def set_expected_loss(self, fraction: float) -> None:
        """See EncodedSource."""
        self._loss.update(fraction, time.monotonic())

    def stats(self) -> SoundStats:
        """Counters, from any thread."""
        heard = self._listening.heard
        return SoundStats(self._encoded, self._level, self._muted, self._fault, self._alive_at, heard)

    def _run(self) -> None:
        with pulse("microphone", lasting=True) as move:
            self._read(move)

    def _read(self, move: Move) -> None:
        encoder = OpusEncoder()
        while not self._stopping.is_set():
            move()
            try:
                self._open(encoder, move)
                if not self.opened.done():
                    self.opened.set_result(None)
                while not self._stopping.is_set():
                    move()
                    self._one(encoder, self._microphone.read())
                    self._notice(self._microphone.missing)
            except DeviceError as error:
                self._notice(error)
                if not self.opened.done():
                    self.opened.set_exception(error)
                self._level = SILENCE_DBFS
            finally:
                self._microphone.close()
            if self._fault is not None and not self._stopping.is_set():
                self._be_silent(encoder, move)

    def _open(self, encoder: OpusEncoder, move: Move) -> None:
        """Open the microphone, which may take seconds: in a thread of its own, while silence goes out from here.

        When all is to end it is waited for too, since nobody else would close it.
        """
        opening: Future[None] = Future()
        Thread(target=self._try_to_open, args=(opening,), name="microphone-opens", daemon=True).start()
        pace = Pace(FRAME_S, first_in_s=FRAME_S, buffer_s=BUFFER_S)
        while not opening.done():
            move()
            wait((opening,), max(0.0, pace.next_due - time.monotonic()))
            if not opening.done() and self._stopping.is_set():
                wait((opening,))
            elif not opening.done():
                self._one(encoder, _silence(pace.wait()))
        opening.result()

    def _try_to_open(self, opening: Future[None]) -> None:
        try:
            with pulse("microphone's opening"):
                self._microphone.open()
        except BaseException as error:
            opening.set_exception(error)
        else:
            opening.set_result(None)

    def _notice(self, fault: DeviceError | None) -> None:
        if fault is not None and self._fault is None:
            log.error("%s", fault)
        elif fault is None and self._fault is not None:
            log.info("the microphone is back")
        self._fault = fault

    def _be_silent(self, encoder: OpusEncoder, move: Move) -> None:
        pace = Pace(FRAME_S, buffer_s=BUFFER_S)
        for _ in range(round(RETRY_S * 1000 / AUDIO_FRAME_MS)):
            if self._stopping.is_set():
                return
            move()
            self._one(encoder, _silence(pace.wait()))

    def _one(self, encoder: OpusEncoder, sound: RawSound) -> None:
        muted = self._muted
        samples = np.zeros(FRAME_SAMPLES, np.int16) if muted else sound.samples
        timestamp = self._timeline.timestamp(sound.captured_at)
        if self._tone_hz and not muted:
            wave = samples + tone(self._tone_hz, TONE_LEVEL_DBFS, timestamp, FRAME_SAMPLES)
            samples = np.clip(wave, -32768, 32767).astype(np.int16)
        level = level_dbfs(samples)
        self._measure(level)
        # What goes out; muted, only how loud it would have been.
        said, loudness = (sound.samples, level_dbfs(sound.samples)) if muted else (samples, level)
        self._listening.add(said, loudness, time.monotonic(), muted=muted)
        if self._broadcast.has_listeners:
            encoder.expect(self._loss.loss_class)
            payload = encoder.encode(samples)
            self._encoded += 1
            self._broadcast.send(EncodedFrame(payload, timestamp, sound.captured_at, keyframe=True))
        self._alive_at = time.monotonic()

    def _measure(self, level: float) -> None:
        self._levels.append(level)
        if len(self._levels) < LEVEL_EVERY_FRAMES:
            return
        self._level = max(self._levels)
        self._levels.clear()
        if self._on_level is not None:
            try:
                self._loop.call_soon_threadsafe(self._on_level, self._level)
            except RuntimeError:
                log.debug("a level came after the event loop's end")


def _silence(at: float) -> RawSound:
    return RawSound(np.zeros(FRAME_SAMPLES, np.int16), at)


class Timeline:
    """Timestamps in samples that run on evenly, and jump where the sound itself had a gap."""

    def __init__(self) -> None:
        self._next: int | None = None

    def timestamp(self, captured_at: float) -> int:
        """The timestamp of 20 ms that ended at captured_at (seconds of time.monotonic())."""
        measured = round(captured_at * AUDIO_CLOCK_RATE_HZ) - FRAME_SAMPLES
        step = STEP_S * AUDIO_CLOCK_RATE_HZ
        if self._next is None or measured > self._next + step:
            self._next = measured
        timestamp = self._next
        self._next += FRAME_SAMPLES
        return timestamp
