"""PipeWireMicrophone in the shipped audio graph: a tone arrives, and what is unplugged or killed comes back."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from agent.media.device import DeviceError
from agent.media.microphone import PipeWireMicrophone
from agent.media.sound import SoundSource
from agent.media.source import EncodedFrame
from agent.media.speech import tone
from tests.system.audio_graph import MISSING, AudioGraph, audio_graph, until

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(bool(MISSING), reason="PipeWire is not installed"),
]
PATIENCE_S = 20.0


@pytest.fixture
def graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AudioGraph]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with audio_graph(tmp_path) as started:
        yield started


def play_tone(graph: AudioGraph, into: str) -> subprocess.Popen[bytes]:
    path = graph.folder / "tone.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 48_000, 0, "NONE", ""))
        file.writeframes(tone(1000, -20, 0, 60 * 48_000).astype("<i2").tobytes())
    command = ("pw-play", "--target", "0", "-P", "{ node.name=player }", str(path))
    player = subprocess.Popen(command, env=graph.environment)
    until(lambda: "player:output_MONO" in graph.said("pw-link", "-o"))
    graph.link("player:output_MONO", into)
    return player


def test_the_named_nodes_are_there_and_a_name_that_is_not_is_refused(graph: AudioGraph) -> None:
    nodes = graph.said("pw-cli", "ls", "Node")
    for name in ("echo-cancel-source", "echo-cancel-sink", "echo-cancel-capture", "echo-cancel-playback"):
        assert f'"{name}"' in nodes
    assert '{"name":"echo-cancel-sink"}' in graph.said("pw-metadata", "0", "default.audio.sink")
    wrong = PipeWireMicrophone("no-such-microphone")
    with pytest.raises(DeviceError, match=r"microphone\.target"):
        wrong.open()
    wrong.close()


def test_a_tone_is_captured_through_the_canceller(graph: AudioGraph) -> None:
    graph.plug("card", "Audio/Source/Virtual")
    until(lambda: graph.hears() == {"card"})
    player = play_tone(graph, "card:input_MONO")
    microphone = PipeWireMicrophone("echo-cancel-source")
    try:
        microphone.open()
        sounds = [microphone.read() for _ in range(90)]
    finally:
        microphone.close()
        player.kill()
        player.wait()
    heard = np.concatenate([sound.samples for sound in sounds[30:]]).astype(float)
    assert int(np.abs(np.fft.rfft(heard)).argmax() * 48_000 / len(heard)) == pytest.approx(1000, abs=10)
    assert sounds[-1].captured_at > sounds[0].captured_at + 0.5


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_who_comes_by_pulseaudio_s_protocol_may_play_into_the_canceller_and_not_listen(
    graph: AudioGraph,
) -> None:
    graph.plug("card", "Audio/Source/Virtual")
    environment = {**graph.environment, "PULSE_SERVER": f"unix:{graph.folder}/pulse/native"}
    plays = ("-re", "-f", "lavfi", "-i", "sine", "-f", "pulse", "page")
    listens = ("-f", "pulse", "-i", "default", "-t", "60", "-f", "null", "-")
    pages = [
        subprocess.Popen(["ffmpeg", "-v", "quiet", *what], env=environment, stdin=subprocess.DEVNULL)
        for what in (plays, listens)
    ]
    try:
        until(lambda: any(taker == "echo-cancel-sink" for _, taker in graph.links()))
        assert pages[1].wait(PATIENCE_S) != 0
        assert not [taker for giver, taker in graph.links() if giver == "echo-cancel-source"]
    finally:
        for page in pages:
            page.kill()
            page.wait()


def test_an_unplugged_microphone_is_told_and_taken_again_and_so_is_a_pipewire_that_was_killed(
    graph: AudioGraph,
) -> None:
    graph.plug("card", "Audio/Source/Virtual")
    until(lambda: graph.hears() == {"card"})

    async def holds(condition: Callable[[], bool]) -> None:
        await asyncio.to_thread(until, condition, PATIENCE_S)

    async def scenario() -> None:
        heard: list[EncodedFrame] = []
        source = SoundSource(asyncio.get_running_loop(), PipeWireMicrophone("echo-cancel-source"))
        source.subscribe(heard.append)
        source.start()
        await asyncio.wrap_future(source.opened)
        try:
            await asyncio.to_thread(graph.unplug, "card")
            await holds(lambda: "no microphone is plugged in" in str(source.stats().fault))
            before = len(heard)
            await holds(lambda: len(heard) > before + 20)  # silence goes out meanwhile
            await asyncio.to_thread(graph.plug, "card", "Audio/Source/Virtual")
            player = await asyncio.to_thread(play_tone, graph, "card:input_MONO")
            await holds(lambda: source.stats().fault is None and source.stats().level_dbfs > -60)
            graph.kill("pipewire")
            await holds(lambda: source.stats().fault is not None)
            await holds(graph.ended)  # and systemd starts it anew
            player.kill()
            player.wait()
            await asyncio.to_thread(graph.start)
            await asyncio.to_thread(graph.plug, "card", "Audio/Source/Virtual")
            player = await asyncio.to_thread(play_tone, graph, "card:input_MONO")
            await holds(lambda: source.stats().fault is None and source.stats().level_dbfs > -60)
            player.kill()
            player.wait()
        finally:
            source.stop()

    asyncio.run(scenario())


def test_a_microphone_is_heard_once_a_pipewire_runs_that_did_not_when_it_was_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    graph = AudioGraph(tmp_path)

    async def scenario() -> None:
        heard: list[EncodedFrame] = []
        source = SoundSource(asyncio.get_running_loop(), PipeWireMicrophone("echo-cancel-source"))
        source.subscribe(heard.append)
        source.start()
        try:
            with pytest.raises(DeviceError, match="Check that PipeWire runs"):
                await asyncio.wrap_future(source.opened)
            await asyncio.to_thread(until, lambda: len(heard) > 20, PATIENCE_S)  # silence
            await asyncio.to_thread(graph.start)
            await asyncio.to_thread(graph.plug, "card", "Audio/Source/Virtual")
            player = await asyncio.to_thread(play_tone, graph, "card:input_MONO")
            await asyncio.to_thread(until, lambda: source.stats().level_dbfs > -60, PATIENCE_S)
            assert source.stats().fault is None
            player.kill()
            player.wait()
        finally:
            source.stop()

    try:
        asyncio.run(scenario())
    finally:
        graph.stop()


@pytest.mark.parametrize("program", ["wireplumber", "pipewire-pulse"])
def test_all_of_the_graph_ends_when_one_of_its_programs_does(graph: AudioGraph, program: str) -> None:
    graph.kill(program)
    until(graph.ended)
    assert graph.said("pgrep", "-x", "-P", str(graph.pid), "pipewire") == ""


def configured(folder: Path, **environment: str) -> str:
    """What PipeWire is given to read; it has started with it."""
    graph = AudioGraph(folder)
    graph.environment.update(environment)
    try:
        graph.start()
        return (folder / "pipewire.conf").read_text()
    finally:
        graph.stop()


def test_what_cannot_be_set_is_told_and_the_default_taken(tmp_path: Path) -> None:
    text = configured(tmp_path, HALSORUM_PLAY_DELAY_MS="2; rm", HALSORUM_ECHO_CANCELLER="perhaps")
    assert "buffer.play_delay = 1440/48000" in text
    assert "library.name = aec/libspa-aec-webrtc" in text


def test_a_speakerphone_that_cancels_by_itself_is_left_alone(tmp_path: Path) -> None:
    assert "library.name = aec/libspa-aec-null" in configured(tmp_path, HALSORUM_ECHO_CANCELLER="off")
