"""From PipeWire's words to the way of sound."""

from __future__ import annotations

import json

import pytest

from agent.media.sound_graph import sound_graph, sound_way

SHIPPED = {
    "echo-cancel-capture": ["input_MONO", "monitor_MONO"],
    "echo-cancel-source": ["capture_MONO"],
    "echo-cancel-sink": ["playback_MONO", "monitor_MONO"],
    "echo-cancel-playback": ["output_MONO"],
    "no-loudspeaker": ["playback_MONO", "monitor_MONO"],
    "card-out": ["playback_FL", "playback_FR", "monitor_FL", "monitor_FR"],
    "card-in": ["capture_FL", "capture_FR"],
}
CANCELLER = "{ library.name = aec/libspa-aec-webrtc buffer.play_delay = 1440/48000 }"


def dumped(links, *, canceller=CANCELLER, volumes=None):
    """What pw-dump says of the shipped graph with these links between nodes."""
    said = [
        {"id": 1, "type": "PipeWire:Interface:Core", "info": None},
        {
            "id": 2,
            "type": "PipeWire:Interface:Module",
            "info": {"name": "libpipewire-module-echo-cancel", "args": canceller},
        },
        {
            "id": 3,
            "type": "PipeWire:Interface:Metadata",
            "metadata": [
                {"key": "default.audio.sink", "value": {"name": "echo-cancel-sink"}},
                {"key": "default.audio.source", "value": {"name": "card-in"}},
                {"key": "other", "value": 3},
            ],
        },
    ]
    ports = {}
    for number, (name, own) in enumerate(SHIPPED.items(), start=10):
        props = [{"volume": 1.0, **(volumes or {}).get(name, {})}]
        info = {"props": {"node.name": name}, "params": {"Props": props}}
        said.append({"id": number, "type": "PipeWire:Interface:Node", "info": info})
        for place, port in enumerate(own):
            ports[f"{name}:{port}"] = number * 10 + place
            info = {"props": {"node.id": number, "port.name": port}}
            said.append({"id": number * 10 + place, "type": "PipeWire:Interface:Port", "info": info})
    for place, (giver, taker) in enumerate(links):
        info = {"output-port-id": ports[giver], "input-port-id": ports[taker]}
        said.append({"id": 900 + place, "type": "PipeWire:Interface:Link", "info": info})
    return ports, sound_graph(json.dumps(said))


EAR = ("card-in:capture_FL", "echo-cancel-capture:input_MONO")
MOUTH = ("echo-cancel-playback:output_MONO", "card-out:playback_FL")
NOWHERE = ("echo-cancel-playback:output_MONO", "no-loudspeaker:playback_MONO")


def test_the_way_goes_through_the_canceller_to_the_cards():
    volumes = {"card-out": {"channelVolumes": [0.125, 0.125]}, "card-in": {"mute": True}}
    ports, graph = dumped([EAR, MOUTH], volumes=volumes)
    way = sound_way(graph, "echo-cancel-source", "echo-cancel-sink")
    assert way.output.name == "card-out"
    assert (way.output.volume, way.output.muted) == (0.125, False)
    assert (way.microphone.name, way.microphone.muted) == ("card-in", True)
    assert way.played == ports["card-out:monitor_FL"]
    assert way.raw == ports["card-in:capture_FL"]
    assert way.cancelled == ports["echo-cancel-source:capture_MONO"]
    assert (way.canceller, way.play_delay_ms) == (True, pytest.approx(30.0))


def test_what_is_not_plugged_in_is_missing_and_the_output_to_nowhere_is_none():
    _, graph = dumped([NOWHERE])
    way = sound_way(graph, "echo-cancel-source", "echo-cancel-sink")
    assert (way.output, way.microphone, way.played, way.raw) == (None, None, None, None)


def test_a_canceller_that_is_off_and_ways_beside_it_are_none():
    _, off = dumped([EAR, MOUTH], canceller="{ library.name = aec/libspa-aec-null }")
    assert not sound_way(off, "echo-cancel-source", "echo-cancel-sink").canceller
    ports, graph = dumped([EAR, MOUTH])
    way = sound_way(graph, None, "card-out")
    assert (way.raw, way.cancelled) == (ports["card-in:capture_FL"], None)
    assert (way.played, way.canceller) == (ports["card-out:monitor_FL"], False)


def test_what_is_no_dump_is_refused():
    with pytest.raises(ValueError, match="Expecting"):
        sound_graph("cannot connect")
