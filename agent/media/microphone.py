"""Microphones: made by code, from a film, or a real one through PipeWire's pw-record.

PipeWire and not ALSA, since the browser plays the others' voices and PipeWire's echo canceller takes them out
of what this captures.
"""

from __future__ import annotations

import math
import os
import select
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from agent.media.device import DeviceError, Microphone, Pace, RawSound, Samples
from agent.media.footage import Footage, looped_sound
from agent.media.sim_room import SimMicrophone, SimRoom
from agent.media.source import AUDIO_CLOCK_RATE_HZ, AUDIO_FRAME_MS
from agent.media.speech import FULL_SCALE, speech_loop

FRAME_SAMPLES = AUDIO_CLOCK_RATE_HZ * AUDIO_FRAME_MS // 1000
FRAME_BYTES = FRAME_SAMPLES * 2
FRAME_S = AUDIO_FRAME_MS / 1000
BUFFER_S = 0.2  # what a sound device keeps for a reader that is late
SILENCE_DBFS = -100.0
CANCELLED_SOURCE, CANCELLER_EAR = "echo-cancel-source", "echo-cancel-capture"
"""Nodes of firmware/audio: what the canceller gives, and where it hears the room."""
LOOK_AT_FILE_FRAMES = 25
LOOK_AFTER_FRAMES = 75  # digital silence for 1.5 s: a microphone in a room has noise, even a quiet one
LOOK_WITHIN_S = 1.0
ENDS_WITHIN_S = 1.0  # a pw-record that closed its output, or was asked to end
SILENT_PIPE_S = 1.0  # PipeWire delivers also when nobody speaks: a second without any byte is a fault
FIRST_SOUND_S = 5.0  # a card that was asleep wakes first, and pw-record starts beside the rest of a self-test


@dataclass(frozen=True, slots=True)
class MicrophoneSettings:
    """Which microphone: made speech, a film's sound, or a PipeWire node by name (target; none is the
    default).

    tone_hz mixes a steady tone in, by which tests know the source again. room: where there is no hardware, what
    speech and file are heard in. speaks: whether somebody is there who speaks.
    """

    kind: Literal["speech", "file", "pipewire"] = "speech"
    target: str | None = None
    file: Path | None = None
    tone_hz: float | None = None
    room: SimRoom | None = field(default=None, compare=False)
    speaks: bool = True


class _AlwaysThere:
    """What is made by code or read from a film is never unplugged."""

    missing: DeviceError | None = None


class SpeechMicrophone(_AlwaysThere):
    """Plays agent.media.speech in a loop, in real time; silence where nobody speaks."""

    def __init__(self, speaks: bool = True) -> None:
        self._speaks = speaks
        self._loop: Samples = np.zeros(0, np.int16)
        self._place = 0
        self._pace = Pace(FRAME_S, buffer_s=BUFFER_S)

    def open(self) -> None:
        if not len(self._loop):
            loop = speech_loop() if self._speaks else np.zeros(AUDIO_CLOCK_RATE_HZ, np.int16)
            self._loop = loop[: len(loop) // FRAME_SAMPLES * FRAME_SAMPLES]
        self._pace = Pace(FRAME_S, buffer_s=BUFFER_S)

    def read(self) -> RawSound:
        samples = self._loop[self._place : self._place + FRAME_SAMPLES]
        self._place = (self._place + FRAME_SAMPLES) % len(self._loop)
        return RawSound(samples, self._pace.wait())

    def close(self) -> None:
        """Nothing is held."""


class FileMicrophone(_AlwaysThere):
    """The sound of a film in a loop, in step with the FileCamera that holds the same Footage.

    A film that is replaced while it plays is heard from its beginning within LOOK_AT_FILE_FRAMES.
    """

    def __init__(self, footage: Footage) -> None:
        self._footage = footage
        self._pieces: Iterator[Samples] | None = None
        self._buffer: Samples = np.zeros(0, np.int16)
        self._pace = Pace(FRAME_S, buffer_s=BUFFER_S)
        self._missed = self._reads = 0
        self._number = 0

    def open(self) -> None:
        self._number = self._footage.number()
        started_at = self._footage.started_at()
        self._pace = Pace(FRAME_S, first_in_s=FRAME_S, buffer_s=BUFFER_S)
        self._missed = 0
        # The 20 ms given at a tick are those that ended then.
        self._pieces = looped_sound(self._footage, max(0.0, self._pace.next_due - FRAME_S - started_at))
        self._buffer = next(self._pieces)

    def read(self) -> RawSound:
        if self._pieces is None:
            raise DeviceError(f"film {self._footage.path}", "it is not open", "Open it first")
        self._look_at_file()
        while len(self._buffer) < self._missed + FRAME_SAMPLES:
            self._buffer = np.concatenate([self._buffer, next(self._pieces)])
        end = self._missed + FRAME_SAMPLES
        samples, self._buffer = self._buffer[self._missed : end], self._buffer[end:]
        due = self._pace.wait()
        # Ticks that a busy processor missed take their sound along, or it would lag behind the picture for ever.
        self._missed = (round((self._pace.next_due - due) / FRAME_S) - 1) * FRAME_SAMPLES
        return RawSound(samples, due)

    def _look_at_file(self) -> None:
        self._reads += 1
        if self._reads % LOOK_AT_FILE_FRAMES == 0 and self._footage.is_another(self._number):
            self.close()
            self.open()

    def close(self) -> None:
        if self._pieces is not None:
            self._pieces.close()  # type: ignore[attr-defined]  # a generator: closes its file
        self._pieces = None


class PipeWireMicrophone:
    """A PipeWire source, read through a pw-record of its own, which ends with close().

    The echo canceller's source is there whatever is plugged in, and silent without a microphone: so after some
    digital silence `is_linked` is asked, in the reading thread, whether the canceller hears one.
    """

    def __init__(
        self, target: str | None, command: str = "pw-record", is_linked: Callable[[], bool] | None = None
    ) -> None:
        self.missing: DeviceError | None = None
        self._is_linked = is_linked or (lambda: target != CANCELLED_SOURCE or canceller_hears())
        self._silent_frames = 0
        self._what = f"microphone {target or '(PipeWire default)'}"
        self._arguments = pw_record_arguments(target, command)
        self._process: subprocess.Popen[bytes] | None = None
        self._buffer = b""
        self._header_seen = False
        self._big_endian = False

    def open(self) -> None:
        try:
            self._process = subprocess.Popen(
                self._arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except OSError as error:
            reason = f"pw-record cannot be started ({error.strerror})"
            raise DeviceError(self._what, reason, "Install pipewire-bin") from error
        self._buffer, self._header_seen, self._silent_frames = b"", False, 0
        # The first sound shows that there is a source at the other end; a header is written without one, too.
        while not self._header_seen or len(self._buffer) < FRAME_BYTES:
            self._buffer += self._more(FIRST_SOUND_S)
            self._skip_header()

    def read(self) -> RawSound:
        while len(self._buffer) < FRAME_BYTES:
            self._buffer += self._more(SILENT_PIPE_S)
        frame, self._buffer = self._buffer[:FRAME_BYTES], self._buffer[FRAME_BYTES:]
        captured_at = time.monotonic() - len(self._buffer) / 2 / AUDIO_CLOCK_RATE_HZ
        self._look_for_it(silent=not any(frame))
        return RawSound(
            np.frombuffer(frame, ">i2" if self._big_endian else "<i2").astype(np.int16), captured_at
        )

    def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.communicate(timeout=ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()

    def _look_for_it(self, silent: bool) -> None:
        if not silent:
            self._silent_frames, self.missing = 0, None
            return
        self._silent_frames += 1
        if self._silent_frames % LOOK_AFTER_FRAMES == 0:
            self.missing = None if self._is_linked() else self._unplugged()

    def _unplugged(self) -> DeviceError:
        return DeviceError(
            self._what, "no microphone is plugged in", "Plug it in; it is taken into use by itself"
        )

    def _more(self, within_s: float) -> bytes:
        if self._process is None or self._process.stdout is None:
            raise DeviceError(self._what, "it is not open", "Open it first")
        ready, _, _ = select.select([self._process.stdout], [], [], within_s)
        data = os.read(self._process.stdout.fileno(), 65536) if ready else b""
        if data:
            return data
        raise self._fault(ended=bool(ready))

    def _fault(self, ended: bool) -> DeviceError:
        assert self._process is not None
        if not ended:
            return DeviceError(
                self._what,
                "PipeWire gives no sound from it",
                "Check microphone.target and that it is plugged in",
            )
        try:
            _, said = self._process.communicate(timeout=ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            said = b"its output is closed"
        reason = said.decode("utf-8", "replace").strip().splitlines()
        detail = reason[-1] if reason else f"exit code {self._process.returncode}"
        return DeviceError(
            self._what,
            f"pw-record ended ({detail})",
            "Check that PipeWire runs and microphone.target is right",
        )

    def _skip_header(self) -> None:
        found = None if self._header_seen else pcm_start(self._buffer)
        if found is not None:
            start, self._big_endian = found
            self._buffer = self._buffer[start:]
            self._header_seen = True


def make_microphone(settings: MicrophoneSettings, footage: Footage | None = None) -> Microphone:
    """The microphone settings ask for, not yet open. Kind "file" without footage raises DeviceError."""
    if settings.kind == "pipewire":
        return PipeWireMicrophone(settings.target)
    inner: Microphone = SpeechMicrophone(settings.speaks)
    if settings.kind == "file":
        if footage is None:
            raise DeviceError("file microphone", "no film is given", "Give microphone.file in the profile")
        inner = FileMicrophone(footage)
    return inner if settings.room is None else SimMicrophone(inner, settings.room)


def canceller_hears() -> bool:
    """Whether a microphone is linked to the canceller; True where that cannot be said. Takes some 10 ms."""
    try:
        links = subprocess.run(
            ["pw-link", "--links"], capture_output=True, text=True, timeout=LOOK_WITHIN_S, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return True
    # Without an arrow in front: a port of its own, listed since something is linked to it.
    return any(line.startswith(f"{CANCELLER_EAR}:") for line in links.splitlines())


def pw_record_arguments(target: str | None, command: str = "pw-record") -> list[str]:
    """The command line of pw-record: s16 mono 48 kHz to standard output, in pieces of 20 ms."""
    # Without it a target that is not there silently becomes the default source: another microphone.
    aim = ["--target", target, "-P", "{ node.dont-reconnect = true }"] if target else []
    form = ["--format", "s16", "--rate", str(AUDIO_CLOCK_RATE_HZ), "--channels", "1"]
    role = ["--media-role", "Communication", "--latency", f"{AUDIO_FRAME_MS}ms"]
    return [command, *aim, *form, *role, "-"]


def pcm_start(data: bytes) -> tuple[int, bool] | None:
    """Where the samples begin in what pw-record writes, and whether they are big-endian; None if more is
    needed.

    pw-record writes bare samples in some releases and a Sun AU header (".snd", big-endian: data offset at
    byte 4, encoding at 12, 3 being 16-bit linear) in front of them in others.
    """
    if len(data) < 4:
        return None
    if data[:4] != b".snd":
        return 0, False
    if len(data) < 8:
        return None
    offset = int.from_bytes(data[4:8], "big")
    return None if len(data) < offset else (offset, True)


def level_dbfs(samples: Samples) -> float:
    """Level of 20 ms in dBFS: 0 is the mean square of a full-scale square wave, -100 digital silence."""
    wave = samples.astype(np.float32)
    power = float(np.dot(wave, wave)) / max(1, len(wave))
    return max(SILENCE_DBFS, 10 * math.log10(power / FULL_SCALE**2)) if power else SILENCE_DBFS
