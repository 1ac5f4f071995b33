"""What a notice says: the same one instruction as the unit shows, as a mail and as JSON. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from agent.contract.instructions import text

TEXTS = Path(__file__).parent / "notice_texts"
LANGUAGES = ("sv", "en")
PAGE = "/readiness"
"""Of the region's pages, where the room is listed and its session can be moved."""
Kind = Literal["fault", "well", "test"]


@dataclass(frozen=True, slots=True)
class Message:
    """One notice to one recipient. Of a visit it has time and ref, which tell nothing of who comes."""

    id: str
    """The same at each try, so that one that comes twice can be known."""
    kind: Kind
    language: str
    name: str
    """The recipient's."""
    room: str
    room_id: str = ""
    unit: str = ""
    instruction: str = ""
    level: str = ""
    since: datetime | None = None
    next_start: datetime | None = None
    ref: str = ""
    of: str = ""
    """Of `well`: the id of the notice that told of the fault."""
    made_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """What is the same for all: where times are shown, and where the pages are."""

    zone: ZoneInfo
    public_url: str

    @property
    def link(self) -> str:
        """Where to look."""
        return self.public_url.rstrip("/") + PAGE


def subject(message: Message, frame: Frame, now: datetime) -> str:
    """One line: room, what is wrong, when the next patient comes."""
    words = texts(message.language)
    if message.kind == "fault":
        fault = text(message.language, message.instruction).fault
        if message.next_start is None:
            return words["subject.fault"].format(room=message.room, fault=fault)
        when = time_words(message.next_start, now, frame.zone, message.language)
        return words["subject.fault_next"].format(room=message.room, fault=fault, time=when)
    return words[f"subject.{message.kind}"].format(room=message.room, name=message.name)


def body(message: Message, frame: Frame, now: datetime) -> str:
    """The instruction first, then the circumstances."""
    words = texts(message.language)
    if message.kind != "fault":
        lines = [words[f"body.{message.kind}"]]
    else:
        said = text(message.language, message.instruction)
        since = time_words(message.since or now, now, frame.zone, message.language)
        lines = [said.do, "", words["body.room"].format(room=message.room)]
        lines.append(words["body.fault"].format(fault=said.fault, since=since))
        lines.append(words["body.usable" if message.level == "warn" else "body.unusable"])
    if message.next_start is not None:
        when = time_words(message.next_start, now, frame.zone, message.language)
        lines.append(words["body.next"].format(time=when, ref=message.ref))
    if message.kind == "fault":
        lines += ["", words["body.link"].format(link=frame.link)]
    return "\n".join([*lines, "", "-- ", words["body.about"], ""])


def as_json(message: Message, frame: Frame) -> bytes:
    """For a webhook; times in ISO 8601 where the rooms are."""
    told: dict[str, Any] = {
        "id": message.id,
        "type": message.kind,
        "language": message.language,
        "room": message.room,
        "room_id": message.room_id,
        "unit": message.unit,
        "instruction": message.instruction,
        "fault": "",
        "do": "",
        "level": message.level,
        "since": _instant(message.since, frame.zone),
        "next_start": _instant(message.next_start, frame.zone),
        "ref": message.ref,
        "link": frame.link,
    }
    if message.instruction:
        said = text(message.language, message.instruction)
        told |= {"fault": said.fault, "do": said.do if message.kind == "fault" else ""}
    return json.dumps(told, ensure_ascii=False).encode()


def time_words(at: datetime, now: datetime, zone: ZoneInfo, language: str) -> str:
    """A time of the day, with the day where it is another."""
    local = at.astimezone(zone)
    days = (local.date() - now.astimezone(zone).date()) // timedelta(days=1)
    which = {0: "time.today", 1: "time.tomorrow"}.get(days, "time.other_day")
    parts = {"day": local.day, "month": local.month, "hour": f"{local:%H}", "minute": f"{local:%M}"}
    return texts(language)[which].format(**parts)


@cache
def texts(language: str) -> Mapping[str, str]:
    """In one of LANGUAGES."""
    words: Mapping[str, str] = json.loads((TEXTS / f"{language}.json").read_text("utf-8"))
    return words


def _instant(at: datetime | None, zone: ZoneInfo) -> str | None:
    return at.astimezone(zone).isoformat(timespec="seconds") if at else None
