"""What a room can lack, and the one thing to do about it: one table for unit, screen, region and notices.

Its order is from cause to consequence: a unit without a network cable reaches no region either, and is told about
its cable. Of what is wrong the first that keeps visits out is said, and if nothing does, the first.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Level = Literal["warn", "fail"]
"""`warn`: a visit can be held, not as well as it should be. `fail`: none should be begun."""
Concerns = Literal["staff", "it"]
"""Who can do what the instruction says: whoever is at the centre, or the region's IT."""
TEXTS = Path(__file__).parent / "instruction_texts"
FIRST_LANGUAGE = "sv"


@dataclass(frozen=True, slots=True)
class Instruction:
    """One entry. `probe`: which finds it; `picture`: which drawing shows what to do."""

    probe: str
    level: Level
    concerns: Concerns
    picture: str


@dataclass(frozen=True, slots=True)
class Text:
    """In one language. `fault`: what is wrong, a few words; `do`: one thing to do about it, one sentence."""

    fault: str
    do: str


def _staff(probe: str, level: Level, picture: str) -> Instruction:
    return Instruction(probe, level, "staff", picture)


def _it(probe: str, level: Level, picture: str = "call_it") -> Instruction:
    return Instruction(probe, level, "it", picture)


INSTRUCTIONS: Mapping[str, Instruction] = {
    "selftest": _staff("selftest", "fail", "power"),
    "disk": _it("disk", "warn"),
    "voltage": _staff("voltage", "warn", "power"),
    "temperature": _staff("temperature", "warn", "air"),
    "throttled": _staff("temperature", "fail", "air"),
    "certificate": _it("certificate", "fail"),
    "certificate_soon": _it("certificate", "warn"),
    "network_cable": _staff("network", "fail", "network_cable"),
    "network_address": _it("network", "fail", "network_cable"),
    "name_service": _it("names", "fail"),
    "region": _it("region", "fail", "network_cable"),
    "region_slow": _it("region", "warn"),
    "turn": _it("turn", "fail"),
    "turn_partly": _it("turn", "warn"),
    "line_loss": _it("line", "warn"),
    "line_narrow": _it("line", "warn"),
    "clock": _it("clock", "warn"),
    "camera": _staff("camera", "fail", "camera_cable"),
    "camera_frozen": _staff("camera", "fail", "camera_cable"),
    "camera_slow": _staff("camera", "fail", "camera_cable"),
    "camera_covered": _staff("camera", "fail", "camera_cover"),
    "camera_dark": _staff("camera", "warn", "lamp"),
    "camera_bright": _staff("camera", "warn", "curtain"),
    "camera_blurred": _staff("camera", "warn", "camera_wipe"),
    "camera_turned": _staff("camera", "warn", "camera_turn"),
    "microphone": _staff("microphone", "fail", "microphone_cable"),
    "microphone_dead": _staff("microphone", "fail", "microphone_on"),
    "microphone_quiet": _staff("microphone", "warn", "microphone_free"),
    "microphone_clipping": _staff("microphone", "warn", "microphone_free"),
    "microphone_hum": _staff("microphone", "warn", "microphone_cable"),
    "loudspeaker": _staff("loudspeaker", "fail", "loudspeaker"),
    "loudspeaker_quiet": _staff("loudspeaker", "warn", "loudspeaker"),
    "sound_delay": _it("loudspeaker", "warn"),
    "echo": _it("loudspeaker", "warn"),
    "encoder": _it("encoder", "fail", "power"),
    "encoder_slow": _it("encoder", "warn", "power"),
    "screen_page": _staff("screen", "fail", "power"),
    "screen_touch": _staff("screen", "fail", "screen_cable"),
    "panel": _it("panel", "warn"),
    "update": _it("update", "warn"),
}
OTHER = Instruction("other", "fail", "it", "call_it")
"""For a key that a newer unit, or an older region, made up."""
LOST, NO_UNIT = "lost", "no_unit"
OF_REGION: Mapping[str, Instruction] = {
    LOST: _staff("presence", "fail", "power"),
    NO_UNIT: _it("presence", "fail"),
}
"""What the region alone can say of a room: its unit is not to be reached, or there is none. No unit says so."""
_ORDER = {key: number for number, key in enumerate(INSTRUCTIONS)}


def instruction(key: str) -> Instruction:
    """The entry of this key, or OTHER."""
    return INSTRUCTIONS.get(key) or OF_REGION.get(key, OTHER)


def worst_first(keys: Iterable[str]) -> tuple[str, ...]:
    """Each once; those that keep visits out first, then from cause to consequence."""
    return tuple(sorted(dict.fromkeys(keys), key=_weight))


def _weight(key: str) -> tuple[bool, int]:
    return instruction(key).level == "warn", _ORDER.get(key, len(_ORDER))


@cache
def texts(language: str) -> Mapping[str, Text]:
    """All entries' texts; of a language that has none, Swedish."""
    file = TEXTS / f"{language}.json"
    if not file.exists():
        file = TEXTS / f"{FIRST_LANGUAGE}.json"
    return {key: Text(**each) for key, each in json.loads(file.read_text("utf-8")).items()}


def text(language: str, key: str) -> Text:
    """One entry's text; of a key that is not in the table, one that names it."""
    found = texts(language).get(key)
    if found is not None:
        return found
    other = texts(language)["other"]
    return Text(other.fault.replace("{name}", key), other.do.replace("{name}", key))
