"""What the touchscreen shows of a meeting: who sits there, what is written, told and asked. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

CameraChoice = Literal["main", "hand"]
AnnouncementKind = Literal[
    "joined",
    "left",
    "share_began",
    "share_ended",
    "zoomed",
    "unzoomed",
    "hand_camera",
    "main_camera",
    "still_taken",
    "still_refused",
    "sharing_on",
    "sharing_off",
]


@dataclass(frozen=True, slots=True)
class Beside:
    """Someone who sits beside the patient, as the chair or staff at the screen have put them down."""

    id: str
    role: str
    name: str = field(default="", repr=False)
    organisation: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Caption:
    """A line that a party wrote in the chat; in memory for as long as the meeting lasts."""

    id: int
    peer: str
    role: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Announcement:
    """Told the patient once, by text and voice: who (a role, and a name if one was given) and what. `id` grows."""

    id: int
    kind: AnnouncementKind
    role: str = ""
    name: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Question:
    """Asked of the patient. A still is taken at `until` unless the answer is no (`consent`, on false)."""

    id: str
    kind: Literal["still"]
    role: str
    until: datetime
