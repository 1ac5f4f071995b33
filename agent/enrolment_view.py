"""What the touchscreen shows of the unit's way in. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

import segno

from agent.config import FIRST_LANGUAGES, Settings
from agent.contract.fingerprint_words import words_of
from agent.enrolment import Enrolment
from agent.identity_store import Request
from agent.screen import EnrolView, Lock, QrPath, Screen

NO_LOCK = Lock(0, None)


class OnItsWay(Protocol):
    """What is shown of an Enroller."""

    @property
    def serial(self) -> str: ...
    @property
    def request(self) -> Request: ...
    @property
    def enrolment(self) -> Enrolment: ...


def enrol_view(way: OnItsWay) -> EnrolView:
    """Serial number, words, code and state."""
    now, key = way.enrolment, way.request.key_sha256
    return EnrolView(
        serial=way.serial,
        words=words_of(key),
        qr=qr_path(f"halsorum:enrol?serial={way.serial}&key={key}"),
        state=now.state.value,
        problem=now.problem,
        reason=now.reason,
    )


def enrol_screen(way: OnItsWay, settings: Settings, now: datetime, speech: Collection[str]) -> Screen:
    """The whole document of a unit that is no room yet."""
    return _screen(settings, now, enrol_view(way), speech)


def _screen(settings: Settings, now: datetime, view: EnrolView, speech: Collection[str]) -> Screen:
    return Screen(
        page="enrol",
        now=now,
        room_name="Hälsorum",
        phone=settings.phone,
        ready=False,
        faults=(),
        region_up=False,
        next_session=None,
        can_check_in=(),
        code_lock=NO_LOCK,
        pin_lock=NO_LOCK,
        staff_unlocked_until=None,
        staff_sessions=(),
        session=None,
        media_generation=0,
        languages=FIRST_LANGUAGES,
        speech=tuple(code for code in FIRST_LANGUAGES if code in speech),
        enrol=view,
    )


def disk_fault_screen(fault: str, settings: Settings, now: datetime) -> Screen:
    """The same of a unit that could keep no identity: it asks for none."""
    nobody = EnrolView(serial="", words=(), qr=QrPath(0, ""), state=fault)
    return _screen(settings, now, nobody, ())


def qr_path(content: str) -> QrPath:
    """The code as one path of SVG (section 9.3): dark runs of each row, a module being one unit."""
    code = segno.make(content, error="m", micro=False)
    runs: list[str] = []
    for y, row in enumerate(code.matrix):
        x = 0
        while x < len(row):
            end = x
            while end < len(row) and row[end]:
                end += 1
            if end > x:
                runs.append(f"M{x} {y}h{end - x}v1h-{end - x}z")
            x = end + 1
    return QrPath(len(code.matrix), "".join(runs))
