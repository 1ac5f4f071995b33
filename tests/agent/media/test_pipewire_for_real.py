"""PipeWireMicrophone on a real PipeWire with a virtual source: a known tone arrives, a wrong name is refused."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from agent.media.device import DeviceError
from agent.media.microphone import PipeWireMicrophone
from agent.media.speech import tone

TOOLS = ("pipewire", "wireplumber", "pw-record", "pw-play", "pw-cli", "pw-link", "dbus-run-session")
SOURCE = (
    "{ factory.name=support.null-audio-sink node.name=room-microphone media.class=Audio/Source/Virtual "
    "object.linger=true audio.position=MONO }"
)
pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(any(shutil.which(tool) is None for tool in TOOLS), reason="PipeWire is not installed"),
]


def retried(*command: str, limit_s: float = 15.0) -> None:
    limit = time.monotonic() + limit_s
    while subprocess.run(command, capture_output=True).returncode:
        assert time.monotonic() < limit, f"{command[0]} did not succeed"
        time.sleep(0.1)


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A PipeWire of its own, whose source room-microphone hears 1 kHz."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with wave.open(str(tmp_path / "tone.wav"), "wb") as file:
        file.setparams((1, 2, 48_000, 0, "NONE", ""))
        file.writeframes(tone(1000, -20, 0, 20 * 48_000).astype("<i2").tobytes())
    script = "pipewire & sleep 1; wireplumber & wait"
    daemons = subprocess.Popen(
        ["dbus-run-session", "--", "sh", "-c", script], start_new_session=True, stderr=subprocess.DEVNULL
    )
    player = None
    try:
        retried("pw-link", "-o")
        time.sleep(1.5)  # WirePlumber gives no sign when it has begun to link
        retried("pw-cli", "create-node", "adapter", SOURCE)
        player = subprocess.Popen(
            ["pw-play", "--target", "0", "-P", "{ node.name=player }", str(tmp_path / "tone.wav")]
        )
        retried("pw-link", "player:output_MONO", "room-microphone:input_MONO")
        yield
    finally:
        if player is not None:
            player.kill()
            player.wait()
        os.killpg(daemons.pid, signal.SIGTERM)
        daemons.wait(10)


def test_a_tone_is_captured_and_a_name_that_is_not_there_is_refused(room: None) -> None:
    microphone = PipeWireMicrophone("room-microphone")
    microphone.open()
    sounds = [microphone.read() for _ in range(60)]
    microphone.close()
    heard = np.concatenate([sound.samples for sound in sounds[10:]]).astype(float)
    assert int(np.abs(np.fft.rfft(heard)).argmax() * 48_000 / len(heard)) == pytest.approx(1000, abs=10)
    assert sounds[-1].captured_at > sounds[0].captured_at + 0.5
    wrong = PipeWireMicrophone("no-such-microphone")
    with pytest.raises(DeviceError, match=r"microphone\.target"):
        wrong.open()
    wrong.close()
