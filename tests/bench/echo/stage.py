"""One run: the shipped audio graph, a loudspeaker and a microphone with a room between them, and who speaks."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil

from tests.bench.echo.figures import EchoFigures, Script, delay, figures, is_steady
from tests.bench.echo.rooms import RATE_HZ, Room, Wave, at_level, read_wave, response, write_wave
from tests.system.audio_graph import AudioGraph, until

FAR = (
    "Hej och välkommen. Jag sitter på vårdcentralen och hör dig bra. Berätta hur du har mått sedan sist, och om "
    "medicinen har hjälpt. Har du sovit bättre den här veckan? Bra. Då tittar vi på såret tillsammans. "
    "Håll gärna upp handen mot kameran så att jag ser den tydligt. Tack, så är det bra."
)
NEAR = "Jo, det har blivit bättre. Jag sover hela natten nu, men handen är stel på morgonen och svider lite grann."
REAL_TIME = ("chrt", "--fifo", "60") if os.geteuid() == 0 else ()
NEAR_DBFS = -28.0
MARGIN = 48  # samples: what comes a little sooner than the rest is still found
RECORDER_FIRST_S = 6.0  # the recorder runs so much before the player, on a busy machine
ROOM_CONF = """
context.properties = {{ support.dbus = false }}
context.spa-libs = {{ audio.convert.* = audioconvert/libspa-audioconvert support.* = support/libspa-support }}
context.modules = [
  {{ name = libpipewire-module-rt args = {{ rt.prio = 68 }} flags = [ ifexists nofail ] }}
  {{ name = libpipewire-module-protocol-native }}
  {{ name = libpipewire-module-client-node }}
  {{ name = libpipewire-module-adapter }}
  {{ name = libpipewire-module-filter-chain args = {{
      filter.graph = {{ nodes = [ {{ type = builtin label = convolver name = air
        config = {{ filename = "{response}" gain = {gain} }} }} ] }}
      audio.channels = 1 audio.position = [ MONO ]
      capture.props = {{ node.name = room-ear node.autoconnect = false }}
      playback.props = {{ node.name = room-mouth node.autoconnect = false }}
  }} }}
]
"""


def speech(text: str, voice: str, length_s: float) -> Wave:
    """Words by espeak-ng at 48 kHz, as long as asked: again from the start, or cut."""
    with tempfile.TemporaryDirectory() as folder:
        said, at_48 = Path(folder, "said.wav"), Path(folder, "at_48.wav")
        subprocess.run(["espeak-ng", "-v", voice, "-s", "150", "-w", said, text], check=True)
        subprocess.run(
            ["ffmpeg", "-v", "error", "-i", said, "-ar", str(RATE_HZ), "-ac", "1", at_48], check=True
        )
        words = read_wave(at_48)[0]
    wanted = round(length_s * RATE_HZ)
    return np.tile(words, wanted // len(words) + 1)[:wanted]


class Scene:
    """Who says what when, at their levels: the same for every room."""

    def __init__(self, script: Script) -> None:
        self.script = script
        length = round(script.length_s * RATE_HZ)
        self.far, self.near = np.zeros(length), np.zeros(length)
        far_end = script.both[1]
        far = at_level(speech(FAR, "sv", far_end - script.far_alone[0]), -24.0)
        _lay(self.far, far, script.far_alone[0])
        near = at_level(speech(NEAR, "sv+f3", script.both[1] - script.both[0]), NEAR_DBFS)
        _lay(self.near, near, script.both[0])
        _lay(self.near, near, script.near_alone[0])

    def noise(self, room: Room) -> Wave:
        """The room's own noise, low-pitched as ventilation is."""
        white = np.random.default_rng(room.seed).standard_normal(len(self.near))
        return at_level(np.convolve(white, np.ones(12) / 12, "same"), room.noise_dbfs)


def _lay(track: Wave, sound: Wave, at_s: float) -> None:
    start = round(at_s * RATE_HZ)
    track[start : start + len(sound)] += sound


class DisturbedError(Exception):
    """The machine was too busy to keep real time: sound was lost, and the run says nothing."""


def run(room: Room, scene: Scene) -> tuple[EchoFigures, float]:
    """Play the scene in the room; what came out, and PipeWire's processor time in per cent of one core.

    Raises DisturbedError.
    """
    with (
        tempfile.TemporaryDirectory(prefix="echo") as name,
        _graph(Path(name), room, canceller=True) as graph,
        _air(graph, room, scene),
    ):
        microphone, cleaned, cpu = _played(graph, room, scene)
    # What the near end says goes straight into the microphone: it tells when the player began.
    begin = max(0, delay(scene.near, microphone, RECORDER_FIRST_S) - MARGIN)
    microphone, cleaned = microphone[begin:], cleaned[begin:]
    whole = len(microphone) >= (scene.script.near_alone[1] + 0.5) * RATE_HZ
    if not whole or not is_steady(_echo(room, scene), microphone, scene.script):
        raise DisturbedError
    return figures(microphone, cleaned, scene.near, scene.script), cpu


def cpu_without(room: Room, scene: Scene) -> float:
    """PipeWire's processor time in per cent of one core for the same, through a canceller that does nothing."""
    with (
        tempfile.TemporaryDirectory(prefix="echo") as name,
        _graph(Path(name), room, canceller=False) as graph,
        _air(graph, room, scene),
    ):
        return _played(graph, room, scene)[2]


def _echo(room: Room, scene: Scene) -> Wave:
    size = 2 * len(scene.far)
    spread = np.fft.irfft(np.fft.rfft(scene.far, size) * np.fft.rfft(response(room), size), size)[
        : len(scene.far)
    ]
    return at_level(spread, room.echo_dbfs)


@contextmanager
def _graph(folder: Path, room: Room, *, canceller: bool) -> Iterator[AudioGraph]:
    graph = AudioGraph(folder, before=REAL_TIME)
    graph.environment["HALSORUM_ECHO_CANCELLER"] = "on" if canceller else "off"
    if room.play_delay_ms is not None:
        graph.environment["HALSORUM_PLAY_DELAY_MS"] = str(room.play_delay_ms)
    try:
        graph.start()
        graph.plug("loudspeaker", "Audio/Sink")
        graph.plug("microphone", "Audio/Source/Virtual")
        until(lambda: graph.plays_to() == {"loudspeaker"} and graph.hears() == {"microphone"})
        yield graph
    finally:
        graph.stop()


@contextmanager
def _air(graph: AudioGraph, room: Room, scene: Scene) -> Iterator[None]:
    """Air between loudspeaker and microphone, by PipeWire's own convolver."""
    air = response(room)
    heard = _echo(room, scene)
    spoken = np.fft.rfft(scene.far, 2 * len(scene.far))
    plain = np.fft.irfft(spoken * np.fft.rfft(air, 2 * len(scene.far)), 2 * len(scene.far))[: len(scene.far)]
    gain = float(np.linalg.norm(heard) / np.linalg.norm(plain))
    write_wave(graph.folder / "air.wav", air * gain)
    conf = graph.folder / "room.conf"
    conf.write_text(ROOM_CONF.format(response=graph.folder / "air.wav", gain=1.0))
    with _started(graph, "pipewire", "-c", str(conf)):
        until(lambda: "room-mouth:" in graph.said("pw-link", "-o"))
        graph.link("loudspeaker:monitor_MONO", "room-ear:input_MONO")
        graph.link("room-mouth:output_MONO", "microphone:input_MONO")
        yield


def _played(graph: AudioGraph, room: Room, scene: Scene) -> tuple[Wave, Wave, float]:
    played, recorded = graph.folder / "played.wav", graph.folder / "recorded.wav"
    write_wave(played, scene.far, scene.near + scene.noise(room))
    recorder = (
        "pw-record",
        "--target",
        "0",
        "-P",
        "{ node.name=recorder }",
        "--format",
        "s16",
        "--channels",
        "2",
    )
    player = ("pw-play", "--target", "0", "-P", "{ node.name=player }", str(played))
    server = psutil.Process(int(graph.said("pgrep", "-x", "-P", str(graph.pid), "pipewire").split()[0]))
    with _started(graph, *recorder, "--rate", str(RATE_HZ), str(recorded)) as recording:
        until(lambda: "recorder:input_FR" in graph.said("pw-link", "-i"))
        graph.link("microphone:capture_MONO", "recorder:input_FL")
        graph.link("echo-cancel-source:capture_MONO", "recorder:input_FR")
        with _started(graph, *player) as playing:
            until(lambda: "player:output_FR" in graph.said("pw-link", "-o"))
            graph.link("player:output_FR", "microphone:input_MONO")
            graph.link("player:output_FL", "echo-cancel-sink:playback_MONO")
            before = sum(server.cpu_times()[:2])
            playing.wait(scene.script.length_s + 15)
            cpu = (sum(server.cpu_times()[:2]) - before) / scene.script.length_s * 100
        recording.terminate()
        recording.wait(5)
    microphone, cleaned = read_wave(recorded)
    return microphone, cleaned, cpu


@contextmanager
def _started(graph: AudioGraph, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, **graph.environment}
    # What the loudspeaker and the microphone would do by themselves is not to wait for a processor.
    command = (*REAL_TIME, *command)
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(5)
