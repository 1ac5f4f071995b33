"""The sound output on a real PipeWire with two virtual sinks: what plays moves to the one that is chosen."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import time
import wave
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from agent.sound_output import SoundOutputs, set_default_sink

TOOLS = ("pipewire", "wireplumber", "pw-play", "pw-cli", "pw-link", "pw-metadata", "dbus-run-session")
SINK = (
    "{{ factory.name=support.null-audio-sink node.name={name} media.class=Audio/Sink object.linger=true "
    "audio.position=MONO }}"
)
pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(any(shutil.which(tool) is None for tool in TOOLS), reason="PipeWire is not installed"),
]


def said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True).stdout


def until(condition: Callable[[], bool], limit_s: float = 15.0) -> None:
    limit = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < limit, "it never came about"
        time.sleep(0.1)


def plays_to(name: str) -> bool:
    """Whether what plays goes to that sink."""
    lines = said("pw-link", "--links").splitlines()
    return any(
        line.startswith(f"{name}:playback") and "player:output" in following
        for line, following in pairwise(lines)
    )


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A PipeWire of its own with the sinks box and loop, and somebody who plays."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with wave.open(str(tmp_path / "silence.wav"), "wb") as file:
        file.setparams((1, 2, 48_000, 0, "NONE", ""))
        file.writeframes(bytes(2 * 48_000 * 60))
    script = "pipewire & sleep 1; wireplumber & wait"
    daemons = subprocess.Popen(
        ["dbus-run-session", "--", "sh", "-c", script], start_new_session=True, stderr=subprocess.DEVNULL
    )
    player = None
    try:
        until(lambda: subprocess.run(["pw-link", "-o"], capture_output=True).returncode == 0)
        time.sleep(1.5)  # WirePlumber gives no sign when it has begun to link
        for name in ("box", "loop"):
            subprocess.run(["pw-cli", "create-node", "adapter", SINK.format(name=name)], check=True)
        until(lambda: {"box", "loop"} <= {port.split(":")[0] for port in said("pw-link", "-i").split()})
        player = subprocess.Popen(["pw-play", "-P", "{ node.name=player }", str(tmp_path / "silence.wav")])
        yield
    finally:
        if player is not None:
            player.kill()
            player.wait()
        os.killpg(daemons.pid, signal.SIGTERM)
        daemons.wait(10)


def test_what_plays_moves_to_the_chosen_output_and_back(room: None) -> None:
    async def scenario() -> None:
        nodes = {"loudspeaker": "box", "hearing_loop": "loop"}
        sound = SoundOutputs(nodes, set_default_sink, default=lambda: "loudspeaker")
        for output, node in (("loudspeaker", "box"), ("hearing_loop", "loop"), ("loudspeaker", "box")):
            assert sound.choose(output)
            await asyncio.to_thread(until, lambda node=node: plays_to(node))
        await sound.stop()

    asyncio.run(scenario())


def test_without_pipewire_it_says_that_it_did_not_go_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert asyncio.run(set_default_sink("box")) is False
