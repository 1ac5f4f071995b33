"""The chirp through the shipped audio graph: found through a loudspeaker and a microphone, and what is wrong found
out at the graph's own nodes."""

from __future__ import annotations

import asyncio
import subprocess
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from agent.media.microphone import MicrophoneSettings
from agent.probes.sound import SoundParts, SoundProbe
from agent.probes.sound_verdicts import ONLY_PLAYED
from agent.selftest import Context
from agent.verdict import Verdict
from tests.bench.echo.rooms import ROOMS, response, write_wave
from tests.bench.echo.stage import ROOM_CONF
from tests.system.audio_graph import MISSING, AudioGraph, until

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(bool(MISSING), reason="PipeWire is not installed"),
]
GAIN_DB = -15.0
NOISE_LEVEL = 30  # of 32768, -61 dBFS
PARTS = SoundParts(MicrophoneSettings("pipewire", "echo-cancel-source"), "echo-cancel-sink")


@pytest.fixture
def graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AudioGraph]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    started = AudioGraph(tmp_path)
    try:
        yield started
    finally:
        started.stop()


class Room:
    """A loudspeaker, a microphone with a little noise, and with `air` the way between them."""

    def __init__(self, graph: AudioGraph, *, air: bool = True) -> None:
        self.graph = graph
        graph.start()
        graph.plug("box", "Audio/Sink")
        graph.plug("table", "Audio/Source/Virtual")
        until(lambda: graph.plays_to() == {"box"} and graph.hears() == {"table"})
        self._players = [self._noise()]
        if air:
            self._players.append(self._air())

    def _noise(self) -> subprocess.Popen[bytes]:
        path = self.graph.folder / "noise.wav"
        samples = np.random.default_rng(1).standard_normal(120 * 48_000) * NOISE_LEVEL
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 48_000, 0, "NONE", ""))
            file.writeframes(samples.round().astype("<i2").tobytes())
        player = self._start("pw-play", "--target", "0", "-P", "{ node.name=noise }", str(path))
        until(lambda: "noise:output_MONO" in self.graph.said("pw-link", "-o"))
        self.graph.link("noise:output_MONO", "table:input_MONO")
        return player

    def _air(self) -> subprocess.Popen[bytes]:
        folder = self.graph.folder
        write_wave(folder / "air.wav", response(ROOMS[1]) * 10 ** (GAIN_DB / 20))
        (folder / "room.conf").write_text(ROOM_CONF.format(response=folder / "air.wav", gain=1.0))
        air = self._start("pipewire", "-c", str(folder / "room.conf"))
        until(lambda: "room-mouth:" in self.graph.said("pw-link", "-o"))
        self.graph.link("box:monitor_MONO", "room-ear:input_MONO")
        self.graph.link("room-mouth:output_MONO", "table:input_MONO")
        return air

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        quiet = subprocess.DEVNULL
        return subprocess.Popen(command, env=self.graph.environment, stdout=quiet, stderr=quiet)

    def close(self) -> None:
        for player in self._players:
            player.terminate()
            player.wait(5)


def tried(probe: SoundProbe) -> dict[str, Verdict]:
    verdicts = asyncio.run(probe.run(Context("before", present=False)))
    assert verdicts is not None
    return {each.probe: each for each in verdicts}


def test_a_chirp_is_found_through_the_graph_and_a_muted_or_missing_output_found_out(
    graph: AudioGraph,
) -> None:
    room, probe = Room(graph), SoundProbe(lambda: PARTS)
    try:
        well = tried(probe)
        assert [each.instruction for each in well.values()] == ["", ""]
        # A starved graph loses parts of a chirp and adds none: the most of some tries is what is measured.
        gains_db = [well["loudspeaker"].figure]
        while gains_db[-1] < GAIN_DB - 3 and len(gains_db) < 5:
            gains_db.append(tried(probe)["loudspeaker"].figure)
        assert max(gains_db) == pytest.approx(GAIN_DB, abs=3), gains_db
        assert well["microphone"].figure == pytest.approx(-61, abs=3)
        subprocess.run(["wpctl", "set-mute", graph.number("box"), "1"], env=graph.environment, check=True)
        assert tried(probe)["loudspeaker"].reason == "the output is muted"
        graph.unplug("box")
        until(lambda: graph.plays_to() == {"no-loudspeaker"})
        assert tried(probe)["loudspeaker"].reason == "no output is plugged in"
        graph.unplug("table")
        until(lambda: not graph.hears())
        assert tried(probe)["microphone"].instruction == "microphone"
    finally:
        room.close()


def test_a_loudspeaker_that_gives_no_sound_is_found_out(graph: AudioGraph) -> None:
    room = Room(graph, air=False)
    try:
        assert tried(SoundProbe(lambda: PARTS))["loudspeaker"].instruction == "loudspeaker"
    finally:
        room.close()


def test_where_a_speakerphone_cancels_by_itself_the_output_s_own_word_is_taken(graph: AudioGraph) -> None:
    graph.environment["HALSORUM_ECHO_CANCELLER"] = "off"
    room = Room(graph, air=False)
    try:
        verdict = tried(SoundProbe(lambda: PARTS))["loudspeaker"]
        assert (verdict.ok, verdict.unit) == (True, ONLY_PLAYED)
    finally:
        room.close()
