"""The sound output in the shipped audio graph with two sound cards: the canceller plays to the chosen one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.sound_output import SoundOutputs, set_output
from tests.system.audio_graph import MISSING, AudioGraph, audio_graph, until

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(bool(MISSING), reason="PipeWire is not installed"),
]


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AudioGraph]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with audio_graph(tmp_path) as graph:
        graph.plug("box", "Audio/Sink")
        graph.plug("loop", "Audio/Sink", priority=900)
        yield graph


def test_the_canceller_plays_to_the_chosen_output_and_back_and_takes_it_again_when_it_is_plugged_in_again(
    room: AudioGraph,
) -> None:
    until(lambda: room.plays_to() == {"box"})  # the better one, as long as nothing is chosen

    async def scenario() -> None:
        nodes = {"loudspeaker": "box", "hearing_loop": "loop"}
        sound = SoundOutputs(nodes, set_output, default=lambda: "loudspeaker")
        for output, node in (("loudspeaker", "box"), ("hearing_loop", "loop"), ("loudspeaker", "box")):
            assert sound.choose(output)
            await asyncio.to_thread(until, lambda node=node: room.plays_to() == {node})
        assert sound.choose("hearing_loop")
        await asyncio.to_thread(until, lambda: room.plays_to() == {"loop"})
        await sound.stop()

    asyncio.run(scenario())
    room.unplug("loop")
    until(lambda: room.plays_to() == {"box"})
    room.plug("loop", "Audio/Sink", priority=900)
    until(lambda: room.plays_to() == {"loop"})
    room.unplug("loop")
    room.unplug("box")
    until(lambda: room.plays_to() == {"no-loudspeaker"})  # the browser plays on meanwhile


def test_without_pipewire_it_says_that_it_did_not_go_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert asyncio.run(set_output("box")) is False
