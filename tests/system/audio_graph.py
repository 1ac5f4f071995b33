"""The room's sound as it is shipped (firmware/audio), in a PipeWire of its own, with sound cards made by it.

A card here is a null sink: a loudspeaker whose monitor is read, or a microphone that hears what is linked to it.
Plugging and unplugging it is making and destroying its node, which is what PipeWire does with an ALSA card.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

AUDIO = Path(__file__).parents[2] / "firmware/audio"
TOOLS = (
    "pipewire",
    "wireplumber",
    "pipewire-pulse",
    "pw-cli",
    "pw-link",
    "pw-metadata",
    "pw-record",
    "pw-play",
)
START_LIMIT_S = 20.0
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]
CARD = (
    "{{ factory.name=support.null-audio-sink node.name={name} media.class={kind} object.linger=true "
    "audio.position={position} audio.rate=48000 priority.session={priority} priority.driver={priority} }}"
)


def until(condition: Callable[[], object], limit_s: float = START_LIMIT_S) -> None:
    """Wait until it holds; AssertionError if it does not in time."""
    limit = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < limit, "it never came about"
        time.sleep(0.05)


class AudioGraph:
    """PipeWire, WirePlumber and pipewire-pulse as halsorum-audio.service starts them, in `folder`."""

    def __init__(self, folder: Path, audio: Path = AUDIO, before: Sequence[str] = ()) -> None:
        """before: what start.sh is started by, such as chrt."""
        self.folder = folder
        self._audio = audio
        self._before = before
        self.environment: dict[str, str] = {
            **os.environ,
            "XDG_RUNTIME_DIR": str(folder),
            "XDG_STATE_HOME": str(folder / "state"),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until the canceller is there."""
        (self.folder / "state").mkdir(exist_ok=True)
        self._process = subprocess.Popen(
            [self._audio / "start.sh"],
            env=self.environment,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until(lambda: "echo-cancel-playback:" in self.said("pw-link", "--links"))
        until((self.folder / "pulse/native").exists)

    def stop(self) -> None:
        """End all three."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)

    @property
    def pid(self) -> int:
        """Of what starts the three."""
        assert self._process is not None
        return self._process.pid

    def kill(self, program: str) -> None:
        """Kill one of the three programs, as a fault would."""
        for pid in self.said("pgrep", "-x", "-P", str(self.pid), program).split():
            os.kill(int(pid), signal.SIGKILL)

    def ended(self) -> bool:
        """Whether it has ended, so that systemd would start it anew."""
        return self._process is None or self._process.poll() is not None

    def said(self, *command: str) -> str:
        """What a program says to this PipeWire."""
        return subprocess.run(command, env=self.environment, capture_output=True, text=True).stdout

    def plug(
        self, name: str, kind: Literal["Audio/Sink", "Audio/Source/Virtual"], priority: int = 1000
    ) -> None:
        """Plug in a sound card with this node."""
        card = CARD.format(name=name, kind=kind, position="MONO", priority=priority)
        subprocess.run(
            ["pw-cli", "create-node", "adapter", card],
            env=self.environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        until(lambda: f"{name}:" in self.said("pw-link", "-io"))

    def unplug(self, name: str) -> None:
        """Pull it out."""
        subprocess.run(["pw-cli", "destroy", self.number(name)], env=self.environment, check=True)
        until(lambda: f"{name}:" not in self.said("pw-link", "-io"))

    def link(self, output: str, input_: str) -> None:
        """Link two ports."""
        subprocess.run(["pw-link", output, input_], env=self.environment, check=True)

    def number(self, name: str) -> str:
        """The id of the node of that name."""
        number = ""
        for line in self.said("pw-cli", "ls", "Node").splitlines():
            words = line.replace(",", "").split()
            if words and words[0] == "id":
                number = words[1]
            elif words[:2] == ["node.name", "="] and words[2] == f'"{name}"':
                return number
        raise AssertionError(f"there is no node {name}")

    def links(self) -> set[tuple[str, str]]:
        """Every link as (node that gives, node that takes)."""
        found, giver = set(), ""
        for line in self.said("pw-link", "--links").splitlines():
            name = line.replace("|->", "").replace("|<-", "").strip().split(":")[0]
            if not line.startswith(" "):
                giver = name
            elif "|->" in line:
                found.add((giver, name))
        return found

    def plays_to(self) -> set[str]:
        """Where the canceller plays to."""
        return {taker for giver, taker in self.links() if giver == "echo-cancel-playback"}

    def hears(self) -> set[str]:
        """What the canceller hears."""
        return {giver for giver, taker in self.links() if taker == "echo-cancel-capture"}


@contextmanager
def audio_graph(folder: Path) -> Iterator[AudioGraph]:
    """One that is started, and stopped at the end."""
    graph = AudioGraph(folder)
    try:
        graph.start()
        yield graph
    finally:
        graph.stop()
