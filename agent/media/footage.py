"""A film played for ever in real time: its picture and its sound share one clock, and so one loop point."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

import av
import numpy as np
from av import VideoFrame
from av.container import InputContainer

from agent.media.device import DeviceError, Samples

SAMPLE_RATE_HZ = 48_000


class Footage:
    """One film and its position. Camera and microphone of one call hold the same Footage, and stay in step.

    The film starts at the first question for its position; closing the camera and opening it again comes back
    to where the sound is by then.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        self._started_at: float | None = None
        self._duration_s: float | None = None
        self._stamp = _stamp(path)
        self._number = 0

    def is_another(self, number: int) -> bool:
        """Whether it is no longer the film of that number, or none at all."""
        return self.number() != number or not self.path.exists()

    def number(self) -> int:
        """Which film lies there: it grows when another has taken its place, which then begins anew for all who
        play it. Asked by camera and microphone, from their own threads."""
        with self._lock:
            stamp = _stamp(self.path)
            if stamp not in {self._stamp, None}:
                if self._stamp is not None:
                    self._number += 1
                    self._started_at = self._duration_s = None
                self._stamp = stamp
            return self._number

    @property
    def duration_s(self) -> float:
        """Length of one round in seconds: the picture's length, or the sound's where there is no picture."""
        if self._duration_s is None:
            with self.open() as container:
                streams = [*container.streams.video, *container.streams.audio]
                if not streams:
                    raise DeviceError(
                        f"film {self.path}", "it has neither picture nor sound", "Choose another film"
                    )
                first = streams[0]
                length = (
                    float(first.duration * first.time_base) if first.duration and first.time_base else 0.0
                )
                self._duration_s = length or (container.duration or av.time_base) / av.time_base
        return self._duration_s

    def started_at(self) -> float:
        """time.monotonic() of the film's first start, which the first caller sets."""
        with self._lock:
            if self._started_at is None:
                self._started_at = time.monotonic()
            return self._started_at

    def open(self) -> InputContainer:
        """Open the file. Raises DeviceError if it is not there or no film."""
        try:
            return av.open(str(self.path))
        except (av.FFmpegError, OSError) as error:
            raise DeviceError(
                f"film {self.path}",
                f"it cannot be opened ({error.strerror or error})",
                "Check path and format",
            ) from error


def looped_pictures(footage: Footage, from_s: float) -> Iterator[tuple[float, VideoFrame]]:
    """Decoded pictures with their time in the endless film (seconds since its first start), from from_s on.

    One thread decodes: more would hold more pictures in memory and cost more for the same work.
    """
    length_s = footage.duration_s
    with footage.open() as container:
        if not container.streams.video:
            raise DeviceError(f"film {footage.path}", "it has no picture", "Choose a film with a picture")
        stream = container.streams.video[0]
        stream.thread_count = 1
        assert stream.time_base is not None
        first_s = float((stream.start_time or 0) * stream.time_base)
        rounds, offset_s = divmod(from_s, length_s)
        container.seek(int((first_s + offset_s) / stream.time_base), stream=stream)
        while True:
            for frame in container.decode(stream):
                time_s = max(0.0, (frame.time or 0.0) - first_s)
                if time_s < length_s:
                    yield rounds * length_s + time_s, frame
            rounds += 1
            container.seek(stream.start_time or 0, stream=stream)


def looped_sound(footage: Footage, from_s: float) -> Iterator[Samples]:
    """Mono 48 kHz sound in pieces of any length, from from_s on; each round is as long as the picture's, to
    the sample."""
    round_samples = round(footage.duration_s * SAMPLE_RATE_HZ)
    skip = round(from_s * SAMPLE_RATE_HZ) % round_samples
    with footage.open() as container:
        if not container.streams.audio:
            raise DeviceError(f"film {footage.path}", "it has no sound", "Choose a film with sound")
        while True:
            place = 0
            for piece in _decoded_sound(container):
                wanted = piece[max(0, skip - place) : round_samples - place]
                place += len(piece)
                if len(wanted):
                    yield wanted
            if place < round_samples:
                yield _silence(round_samples - max(place, skip))
            skip = 0
            container.seek(0)


def _decoded_sound(container: InputContainer) -> Iterator[Samples]:
    stream = container.streams.audio[0]
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HZ)
    for frame in container.decode(stream):
        for part in resampler.resample(frame):
            yield part.to_ndarray().reshape(-1).astype(np.int16, copy=False)


def _silence(count: int) -> Samples:
    return np.zeros(count, np.int16)


def _stamp(path: Path) -> tuple[int, int] | None:
    """Which file stands there now: another one has another stamp; None if there is none."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_ino
