"""How it worked, as those who have just left say it: counted over a day, without person and without session."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Protocol

from pydantic import BaseModel, Field, ValidationError

from agent.memory import Fields

KEY = "feedback"
ASKED = ("picture", "sound", "ease")
MARKS = re.compile(r"[0-3],[0-3],[0-3]", re.ASCII)
"""In the order of ASKED; 3 is good, 1 is bad, 0 is none given."""


class Keeps(Protocol):
    """What keeps a value over a restart."""

    def keep(self, key: str, value: bytes) -> None: ...
    def keep_with_facts(self, key: str, value: bytes) -> None: ...


class Counts(BaseModel):
    """A day's marks by name, such as `sound_3`; it holds nothing else, on disk or sent."""

    day: date | None = None
    counts: dict[str, int] = Field(default_factory=dict)


class Feedback:
    """Adds up a day's marks, and hands them on as one fact when the next day has begun.

    Which session's marks have been taken is known only for as long as its end is on the screen, and only in
    memory.
    """

    def __init__(
        self, memory: Keeps, kept: bytes | None, record: Callable[[str, str | None, Fields], None]
    ) -> None:
        self._memory = memory
        self._record = record
        self._sum = _read(kept)
        self._of: str | None = None
        self._taken: set[str] = set()

    def take(self, text: str, sid: str, today: date) -> bool:
        """Count the marks of the session that has just ended; each question once. False for what are none."""
        if not MARKS.fullmatch(text):
            return False
        if sid != self._of:
            self._of, self._taken = sid, set()
        self.tick(today)
        for asked, mark in zip(ASKED, text.split(","), strict=True):
            if mark == "0" or asked in self._taken:
                continue
            self._taken.add(asked)
            name = f"{asked}_{mark}"
            self._sum.counts[name] = self._sum.counts.get(name, 0) + 1
            self._sum.day = today
        self._keep()
        return True

    def tick(self, today: date) -> None:
        """Send the sum of a day that is over."""
        if self._sum.day is None or self._sum.day == today:
            return
        counted, self._sum = self._sum, Counts()
        # Together: a sum that was sent and is still kept would be sent again after a kill.
        self._memory.keep_with_facts(KEY, self._as_bytes())
        self._record("feedback", None, {**counted.counts})

    def forget(self) -> None:
        """The end is no longer shown."""
        self._of = None
        self._taken.clear()

    def _keep(self) -> None:
        self._memory.keep(KEY, self._as_bytes())

    def _as_bytes(self) -> bytes:
        return self._sum.model_dump_json().encode()


def _read(kept: bytes | None) -> Counts:
    try:
        return Counts.model_validate_json(kept) if kept else Counts()
    except ValidationError:
        return Counts()
