"""What PipeWire has linked with what: from what `pw-dump` says to the way of sound through a room. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

CANCELLER_MODULE = "libpipewire-module-echo-cancel"
CANCELLER_OFF = "libspa-aec-null"
CANCELLED_SOURCE, CANCELLED_SINK = "echo-cancel-source", "echo-cancel-sink"
CANCELLER_EAR, CANCELLER_MOUTH = "echo-cancel-capture", "echo-cancel-playback"
LISTENER = "halsorum-ear-"
"""Whoever listens to a trial (agent/media/pipewire_trial.py) is no device."""
NOWHERE = "no-loudspeaker"
"""The node of firmware/audio that takes what is played while no output is plugged in."""
PLAY_DELAY = re.compile(r"buffer\.play_delay\s*=\s*(\d+)/(\d+)")


@dataclass(frozen=True, slots=True)
class Node:
    """A device, a stream, or the canceller's. muted and volume (1: as it is): PipeWire's own, before hardware."""

    id: int
    name: str
    muted: bool = False
    volume: float = 1.0


@dataclass(frozen=True, slots=True)
class SoundGraph:
    """Nodes by id; ports as {id: (node, name)}; links as (output port, input port).

    canceller: whether one is at work; play_delay_ms: how much later it is told what was played. defaults: names of
    the default nodes.
    """

    nodes: Mapping[int, Node]
    ports: Mapping[int, tuple[int, str]]
    links: frozenset[tuple[int, int]]
    canceller: bool = False
    play_delay_ms: float = 0.0
    defaults: Mapping[str, str] | None = None

    def named(self, name: str) -> Node | None:
        """The node of this name."""
        return next((node for node in self.nodes.values() if node.name == name), None)

    def ports_of(self, node: Node | None, kind: str) -> list[int]:
        """Its ports whose names begin with `kind`: capture, monitor, input, playback or output."""
        own = ((port, name) for port, (of, name) in self.ports.items() if node is not None and of == node.id)
        return sorted(port for port, name in own if name.startswith(kind))

    def linked(self, node: Node | None) -> list[Node]:
        """The nodes that this one gives to, or takes from."""
        if node is None:
            return []
        found: dict[int, Node] = {}
        for pair in self.links:
            ends = [self.ports[port][0] for port in pair if port in self.ports]
            if len(ends) == 2 and node.id in ends and ends[0] != ends[1]:
                other = ends[0] if ends[1] == node.id else ends[1]
                if other in self.nodes:
                    found[other] = self.nodes[other]
        return list(found.values())


@dataclass(frozen=True, slots=True)
class SoundWay:
    """From what is played to what is heard. output and microphone: the devices, None where none is plugged in.

    Ports to listen at: played: what goes to the output; raw: the microphone's own; cancelled: what the call hears,
    None where that is the same.
    """

    output: Node | None
    microphone: Node | None
    played: int | None
    raw: int | None
    cancelled: int | None
    canceller: bool
    play_delay_ms: float


def sound_graph(dump: str) -> SoundGraph:
    """From the JSON of `pw-dump`. Raises ValueError for anything else."""
    nodes: dict[int, Node] = {}
    ports: dict[int, tuple[int, str]] = {}
    links: set[tuple[int, int]] = set()
    defaults: dict[str, str] = {}
    canceller, play_delay_ms = False, 0.0
    for each in json.loads(dump):
        info, number = each.get("info") or {}, each["id"]
        props = info.get("props") or {}
        match str(each.get("type", "")).rpartition(":")[2]:
            case "Node":
                nodes[number] = _node(number, info, props)
            case "Port":
                ports[number] = (int(props.get("node.id", -1)), str(props.get("port.name", "")))
            case "Link":
                links.add((info.get("output-port-id", -1), info.get("input-port-id", -1)))
            case "Metadata":
                defaults.update(_defaults(each.get("metadata") or []))
            case "Module" if info.get("name") == CANCELLER_MODULE:
                arguments = str(info.get("args", ""))
                canceller = CANCELLER_OFF not in arguments
                delay = PLAY_DELAY.search(arguments)
                play_delay_ms = 1000 * int(delay[1]) / int(delay[2]) if delay else 0.0
    return SoundGraph(nodes, ports, frozenset(links), canceller, play_delay_ms, defaults)


def sound_way(graph: SoundGraph, source: str | None, sink: str | None) -> SoundWay:
    """The way between the board's loudspeaker and its microphone (None: PipeWire's default)."""
    defaults = graph.defaults or {}
    given = graph.named(source or defaults.get("default.audio.source", ""))
    taken = graph.named(sink or defaults.get("default.audio.sink", ""))
    hears_through = given is not None and given.name == CANCELLED_SOURCE
    plays_through = taken is not None and taken.name == CANCELLED_SINK
    microphone = _other_end(graph, CANCELLER_EAR) if hears_through else given
    output = _other_end(graph, CANCELLER_MOUTH) if plays_through else taken
    cancelled = graph.ports_of(given, "capture") if hears_through else []
    played, raw = graph.ports_of(output, "monitor"), graph.ports_of(microphone, "capture")
    return SoundWay(
        output=output,
        microphone=microphone,
        played=played[0] if played else None,
        raw=raw[0] if raw else None,
        cancelled=cancelled[0] if cancelled else None,
        canceller=graph.canceller and hears_through and plays_through,
        play_delay_ms=graph.play_delay_ms,
    )


def _other_end(graph: SoundGraph, name: str) -> Node | None:
    devices = (node for node in graph.linked(graph.named(name)) if node.name != NOWHERE)
    return next((node for node in devices if not node.name.startswith(LISTENER)), None)


def _node(number: int, info: Mapping[str, Any], props: Mapping[str, Any]) -> Node:
    params = (info.get("params") or {}).get("Props") or []
    said: dict[str, Any] = {key: value for each in params for key, value in each.items()}
    volumes = [*said.get("channelVolumes", []), said.get("volume", 1.0)]
    return Node(
        number,
        str(props.get("node.name", "")),
        bool(said.get("mute") or said.get("softMute")),
        float(min(volumes[:-1] or [1.0]) * volumes[-1]),
    )


def _defaults(entries: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    found = {}
    for entry in entries:
        value = entry.get("value")
        if str(entry.get("key", "")).startswith("default.audio.") and isinstance(value, Mapping):
            found[str(entry["key"])] = str(value.get("name", ""))
    return found
