"""Listens to a room through PipeWire, and plays a sound into it: the microphone itself, what the canceller makes
of it and what really went to the output, recorded together so that they begin with the same sample.

One pw-record with a channel for each, linked by us. Nothing of it is written anywhere: the player reads its sound
from memory, too.
"""

from __future__ import annotations

import io
import os
import select
import subprocess
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event
from typing import IO

import numpy as np
from numpy.typing import NDArray

from agent.media.device import DeviceError
from agent.media.heard import RINGS_S, Devices, Heard
from agent.media.microphone import ENDS_WITHIN_S, pcm_start
from agent.media.pulse import Move
from agent.media.sound_graph import LISTENER, SoundGraph, SoundWay, sound_graph, sound_way
from agent.media.source import AUDIO_CLOCK_RATE_HZ as RATE_HZ
from agent.media.source import AUDIO_FRAME_MS

PLAYED, RAW, CANCELLED = 0, 1, 2
CHANNELS = 3
FRAME_BYTES = RATE_HZ * AUDIO_FRAME_MS // 1000 * 2 * CHANNELS
ANSWERS_WITHIN_S = 8.0
"""PipeWire's own tools, also on a machine that has just started, or is slow."""
LINKED_WITHIN_S = 4.0
FIRST_SOUND_S = 5.0
"""A card that was asleep wakes first."""
SILENT_PIPE_S = 3.0
WARM_UP_S = 0.3
"""What a card gives when it has just been opened is no sound of the room."""
STARTS_WITHIN_S = 6.0
"""A player, until its first sound; its end is what is waited for, so that this costs time only where it hangs."""
POLL_S = 0.05

Wave = NDArray[np.float64]


def listen(
    source: str | None,
    sink: str | None,
    sound: Wave | None,
    *,
    seconds: float,
    stopped: Event,
    move: Move,
) -> Heard:
    """Listen to the room for so long, then play `sound` (1.0 is full scale), if any and if there is an output.

    Blocks; ends early when stopped. Raises DeviceError where there is no PipeWire, no microphone, or no sound of
    it.
    """

    def goes_on() -> bool:
        move()
        return not stopped.is_set()

    way = sound_way(_graph(goes_on), source, sink)
    if way.raw is None:
        raise DeviceError(f"microphone {source or ''}", "PipeWire has none", "Plug it in")
    with _recording(way, stopped, move, goes_on) as recording:
        recording.read(WARM_UP_S)
        quiet = recording.read(seconds)
        sounds = quiet[:0]
        if sound is not None and way.played is not None and not stopped.is_set():
            sounds = _played(recording, sink, sound)
    return Heard(
        quiet=quiet[:, RAW].copy(),
        played=sounds[:, PLAYED].copy(),
        raw=sounds[:, RAW].copy(),
        cancelled=sounds[:, CANCELLED].copy() if way.canceller else None,
        devices=_devices(way),
    )


def _devices(way: SoundWay) -> Devices:
    """What is known of them without a sound."""
    output, microphone = way.output, way.microphone
    return Devices(
        output=output.name if output else "",
        output_volume=0.0 if output is None or output.muted else output.volume,
        microphone_volume=microphone.volume if microphone else 0.0,
        cancels=way.canceller,
        play_delay_ms=way.play_delay_ms,
    )


def devices_now(source: str | None, sink: str | None) -> Devices:
    """What is plugged in. Raises DeviceError where there is no PipeWire."""
    return _devices(sound_way(_graph(lambda: True), source, sink))


class _Recording:
    """What a pw-record of CHANNELS channels writes."""

    def __init__(self, process: subprocess.Popen[bytes], stopped: Event, move: Move) -> None:
        self._process, self._stopped, self._move = process, stopped, move
        self._buffer = b""
        self._order = ""

    def read(self, seconds: float, until: Callable[[], bool] = lambda: False) -> NDArray[np.int16]:
        """So much sound as rows of CHANNELS samples; less when stopped, or once `until` holds."""
        wanted = round(seconds * RATE_HZ) * 2 * CHANNELS
        while len(self._buffer) < wanted and not self._stopped.is_set() and not until():
            self._more()
        whole = min(wanted, len(self._buffer)) // (2 * CHANNELS) * 2 * CHANNELS
        data, self._buffer = self._buffer[:whole], self._buffer[whole:]
        return np.frombuffer(data, self._order or "<i2").astype(np.int16).reshape(-1, CHANNELS)

    def _more(self) -> None:
        assert self._process.stdout is not None
        limit = time.monotonic() + (SILENT_PIPE_S if self._order else FIRST_SOUND_S)
        ready: list[IO[bytes]] = []
        while not ready and not self._stopped.is_set() and time.monotonic() < limit:
            self._move()
            ready = select.select([self._process.stdout], [], [], POLL_S)[0]
        data = os.read(self._process.stdout.fileno(), 65536) if ready else b""
        if not data and not self._stopped.is_set():
            raise DeviceError("microphone", "PipeWire gives no sound from it", "Check that it is plugged in")
        self._buffer += data
        if not self._order and (start := pcm_start(self._buffer)) is not None:
            self._buffer = self._buffer[start[0] :]
            self._order = ">i2" if start[1] else "<i2"


def _played(recording: _Recording, sink: str | None, sound: Wave) -> NDArray[np.int16]:
    lasts_s = len(sound) / RATE_HZ + RINGS_S
    with _player(sink, sound) as player:
        before = recording.read(lasts_s + STARTS_WITHIN_S, until=lambda: player.poll() is not None)
        after = recording.read(RINGS_S)
    return np.concatenate([before, after])


@contextmanager
def _recording(
    way: SoundWay, stopped: Event, move: Move, goes_on: Callable[[], bool]
) -> Iterator[_Recording]:
    name = f"{LISTENER}{os.getpid()}"
    command = [
        *("pw-record", "--target", "0", "-P", f"{{ node.name={name} }}", "--media-role", "Communication"),
        *("--format", "s16", "--rate", str(RATE_HZ), "--channels", str(CHANNELS)),
        *("--channel-map", "AUX0,AUX1,AUX2", "--latency", f"{AUDIO_FRAME_MS}ms", "-"),
    ]
    with _process(command) as process:
        ears = _ears(name, goes_on)
        for port, ear in zip((way.played, way.raw, way.cancelled), ears, strict=True):
            if port is not None:
                _said("pw-link", str(port), str(ear), goes_on=goes_on)
        yield _Recording(process, stopped, move)


def _ears(name: str, goes_on: Callable[[], bool]) -> list[int]:
    limit = time.monotonic() + LINKED_WITHIN_S
    while time.monotonic() < limit and goes_on():
        graph = _graph(goes_on)
        ports = graph.ports_of(graph.named(name), "input")
        if len(ports) == CHANNELS:
            return sorted(ports, key=lambda port: graph.ports[port][1])
        time.sleep(POLL_S)
    raise DeviceError("microphone", "PipeWire lets nobody listen", "Restart the sound's service")


@contextmanager
def _player(sink: str | None, sound: Wave) -> Iterator[subprocess.Popen[bytes]]:
    memory = os.memfd_create("chirp")
    try:
        _write(memory, wav(sound))
        aim = ["--target", sink] if sink else []
        form = ["--media-role", "Communication", "--latency", f"{AUDIO_FRAME_MS}ms"]
        with _process(["pw-play", *aim, *form, f"/proc/self/fd/{memory}"], (memory,)) as process:
            yield process
    finally:
        os.close(memory)


@contextmanager
def _process(command: list[str], files: tuple[int, ...] = ()) -> Iterator[subprocess.Popen[bytes]]:
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=files,
        )
    except OSError as error:
        reason = f"{command[0]} cannot be started ({error.strerror})"
        raise DeviceError("sound", reason, "Install pipewire-bin") from error
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.communicate(timeout=ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _graph(goes_on: Callable[[], bool]) -> SoundGraph:
    try:
        return sound_graph(_said("pw-dump", goes_on=goes_on))
    except ValueError as error:
        raise DeviceError("sound", "PipeWire does not answer", "Restart the sound's service") from error


def _said(*command: str, goes_on: Callable[[], bool]) -> str:
    """goes_on is asked every POLL_S: whoever needs the room waits for no tool."""
    limit = time.monotonic() + ANSWERS_WITHIN_S
    with _process(list(command)) as process:
        while goes_on() and time.monotonic() < limit:
            with suppress(subprocess.TimeoutExpired):
                said = process.communicate(timeout=POLL_S)[0].decode("utf-8", "replace")
                if process.returncode == 0:
                    return said
                break
    raise DeviceError("sound", f"{command[0]} does not answer", "Restart the sound's service")


def _write(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
    os.lseek(file, 0, os.SEEK_SET)


def wav(sound: Wave) -> bytes:
    """A WAV file of 16 bit mono at 48 kHz."""
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        written.writeframes((np.clip(sound, -1.0, 1.0) * 32767).round().astype("<i2").tobytes())
    return file.getvalue()
