"""What cameras and microphones have in common: raw pictures, raw sound, and the error a person may meet."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from av import VideoFrame
from numpy.typing import NDArray

from agent.media.zoom import Zoom

Samples = NDArray[np.int16]


class DeviceError(Exception):
    """A camera or microphone that cannot be used: to what it happened, what happened, and what to do now."""

    def __init__(self, what: str, reason: str, instruction: str) -> None:
        super().__init__(f"{what}: {reason}. {instruction}")
        self.what = what
        self.reason = reason
        self.instruction = instruction


@dataclass(frozen=True, slots=True)
class RawPicture:
    """One picture in yuv420p. captured_at: seconds of time.monotonic(). Treat the frame's pixels as
    read-only."""

    frame: VideoFrame
    captured_at: float


@dataclass(frozen=True, slots=True)
class RawSound:
    """20 ms of mono sound at 48 kHz: 960 samples of s16. captured_at: time.monotonic() of the last sample."""

    samples: Samples
    captured_at: float


class Camera(Protocol):
    """One camera. Everything is called from one thread; read waits for the next picture."""

    @property
    def sensor(self) -> tuple[int, int]:
        """Width and height in pixels of the largest picture it gives; known once it is open."""

    def open(self) -> None:
        """Take the device. Raises DeviceError."""

    def read(self) -> RawPicture:
        """The next picture, at the camera's rate. Raises DeviceError if the camera is gone."""

    def zoom(self, part: Zoom | None) -> None:
        """From now on show this part, of the sensor's own pixels; None: the whole. Raises DeviceError.

        Holds while the camera is closed and opened again.
        """

    def still(self) -> VideoFrame:
        """One whole picture in yuv420p of the sensor's size. May take a second, in which no others come.

        Raises DeviceError.
        """

    def close(self) -> None:
        """Give the device back; closing twice, or one never opened, does nothing."""


class Microphone(Protocol):
    """One microphone. read and close are called from one thread, open from another while that one waits; read
    waits for the next 20 ms."""

    @property
    def missing(self) -> DeviceError | None:
        """Why what read gives is nothing but silence, if it is known; the microphone comes back by itself."""

    def open(self) -> None:
        """Take the device. Raises DeviceError."""

    def read(self) -> RawSound:
        """The next 20 ms. Raises DeviceError if the microphone is gone."""

    def close(self) -> None:
        """Give the device back; closing twice, or one never opened, does nothing."""


class Pace:
    """Even ticks in real time, for devices made of code.

    Ticks missed are skipped, or made up for at once where no more than buffer_s of them wait, as in a device
    that has a buffer.
    """

    def __init__(self, interval_s: float, first_in_s: float = 0.0, buffer_s: float = 0.0) -> None:
        self.interval_s = interval_s
        self._buffer_s = buffer_s
        self._due = time.monotonic() + first_in_s

    @property
    def next_due(self) -> float:
        """When the next tick is, in seconds of time.monotonic()."""
        return self._due

    def wait(self) -> float:
        """Sleep until the tick that is due, return its time, and set the next."""
        due = self._due
        late_s = time.monotonic() - due
        if late_s < 0:
            time.sleep(-late_s)
        missed = int(late_s / self.interval_s) if late_s > self._buffer_s else 0
        self._due = due + self.interval_s * (1 + max(0, missed))
        return due
