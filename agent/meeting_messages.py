"""What pages send one another and us over the call, read with distrust. Pure; see agent/meeting.py.

Everything here is text that a stranger may have written: it is bounded, freed of characters that draw
nothing or turn a line around, and never logged.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast, get_args

from agent.contract.schedule import PartyRole
from agent.media.zoom import Zoom
from agent.screen_meeting import Beside, CameraChoice

NAME_CHARACTERS_MAX = 80
CHAT_CHARACTERS_MAX = 500
ID_CHARACTERS_MAX = 80
BESIDE_MAX = 8
MARKS_MAX = 3  # accents on one letter: Vietnamese needs two; towers of them run over other lines
ROLES: frozenset[str] = frozenset(get_args(PartyRole))
CAMERAS: frozenset[str] = frozenset(get_args(CameraChoice))
_JOINERS = "\u200c\u200d"  # Arabic and Persian need them within words
Message = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Name:
    """A party as it gives itself."""

    name: str = field(default="", repr=False)
    title: str = field(default="", repr=False)
    organisation: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Chat:
    """A line, and the writer's own number for it."""

    id: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ViewWish:
    """Which camera, and which part of its picture (None: the whole)."""

    camera: CameraChoice
    zoom: Zoom | None


def clean(value: object, most: int) -> str:
    """Text in one line of at most `most` characters; empty if it is none."""
    if not isinstance(value, str):
        return ""
    kept: list[str] = []
    marks = 0
    # A stranger's megabyte is not looked at to its end.
    for character in unicodedata.normalize("NFC", value[: 4 * most]):
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if category in ("Cc", "Zl", "Zp"):
            kept.append(" ")
        elif (category not in ("Cf", "Cs", "Co") or character in _JOINERS) and marks <= MARKS_MAX:
            kept.append(character)
    return " ".join("".join(kept).split())[:most].rstrip()


def read_name(message: Message) -> Name:
    """`name {name, title, organisation}`."""
    return Name(*(clean(message.get(key), NAME_CHARACTERS_MAX) for key in ("name", "title", "organisation")))


def read_chat(message: Message) -> Chat | None:
    """`chat {id, text}`; None if there is nothing to read."""
    text = clean(message.get("text"), CHAT_CHARACTERS_MAX)
    return Chat(read_id(message), text) if text else None


def read_id(message: Message) -> str:
    """The sender's own name for what it asks or says; empty if it gave none."""
    value = message.get("id")
    return clean(str(value) if type(value) is int else value, ID_CHARACTERS_MAX)


def read_beside(message: Message) -> tuple[Beside, ...] | None:
    """`beside {people: [{id, role, name, organisation}]}`; None if it is no list."""
    people = message.get("people")
    if not isinstance(people, list):
        return None
    found: dict[str, Beside] = {}
    for entry in people[:BESIDE_MAX]:
        if not isinstance(entry, dict):
            continue
        identifier, role = read_id(entry), entry.get("role")
        if identifier and isinstance(role, str) and role in ROLES:
            texts = (clean(entry.get(key), NAME_CHARACTERS_MAX) for key in ("name", "organisation"))
            found.setdefault(identifier, Beside(identifier, role, *texts))
    return tuple(found.values())


def read_view(message: Message) -> ViewWish | None:
    """`view {camera, zoom: {x, y, width, height} or null}`; None if it makes no sense."""
    camera, zoom = message.get("camera", "main"), message.get("zoom")
    if not isinstance(camera, str) or camera not in CAMERAS:
        return None
    if zoom is None:
        return ViewWish(cast(CameraChoice, camera), None)
    if not isinstance(zoom, dict):
        return None
    numbers = [_fraction(zoom.get(key)) for key in ("x", "y", "width", "height")]
    if None in numbers:
        return None
    x, y, width, height = cast(list[float], numbers)
    return ViewWish(cast(CameraChoice, camera), Zoom.clamped(x, y, width, height))


def _fraction(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    number = float(value) if abs(value) <= 2 else math.inf
    return number if 0 <= number <= 1 else None
