"""Whether a command that has come for the first time is taken, and if not, why. What it refuses is not done ever.

Of ten thousand at once a few are taken; the others cost one write in all, by which the journal's fence is moved.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Collection
from datetime import datetime, timedelta

from agent.commands.journal import VALID_AT_MOST, CommandJournal
from agent.commands.life import Arrived, CancelAsked, Entry, Event, step
from agent.contract import Message
from agent.contract.command_check import what_is_wrong
from agent.contract.commands import Command
from agent.region_clock import RegionClock

WAITING_AT_MOST = 20
TAKEN_AT_MOST, TAKEN_WITHIN_S = 60, 60.0
"""Each that is taken costs writes, and wears a memory card."""
AHEAD_AT_MOST = timedelta(minutes=10)
"""Of the region's clock."""
REFUSED_KEPT = 1000
TOO_MANY = "too many commands at once; send it again later"
UNKNOWN_TIME = "it was issued before this unit's journal of commands begins, or among too many; send it again"
NO_ROOM = "the disk is full, so it cannot be written down and is not done; free space, then send it again"


class Refusal(Exception):
    """It is not taken; the text says why, to IT."""


class Intake:
    """Used on the event loop. `names` are the commands that this unit can do."""

    def __init__(self, journal: CommandJournal, clock: RegionClock, names: Collection[str]) -> None:
        self._journal = journal
        self._clock = clock
        self._names = names
        self._refused: deque[str] = deque(maxlen=REFUSED_KEPT)
        self._taken_at: deque[float] = deque()

    def judge(self, message: Message, waiting: int) -> Entry:
        """The command as it is to be written down: accepted, rejected, expired or canceled. Raises Refusal.

        The journal must have its fence.
        """
        command: Command = message.data
        now, command_id = self._clock.now(), message.topic.levels[0]
        issued, fence = command.issued_at or message.ts, self._journal.fence
        if command_id in self._refused:
            raise Refusal(NO_ROOM)
        if fence is None or issued <= fence:
            raise Refusal(UNKNOWN_TIME)
        if waiting >= WAITING_AT_MOST or self._is_too_fast():
            self._refuse_for_good(command_id, min(max(issued, now), now + AHEAD_AT_MOST))
            raise Refusal(TOO_MANY)
        entry = Entry(
            id=command_id,
            name=command.name,
            issued_at=min(issued, now),
            expires_at=message.expires_at or now,
            timeout_s=command.timeout_s,
            arguments=dict(command.arguments),
        )
        event: Event = CancelAsked() if command.cancel else Arrived(self._fault(command, message, issued))
        return step(entry, event, now)

    def no_room(self, command_id: str) -> Refusal:
        """It could not be written down; asked again, it is refused again, though there may be room by then."""
        self._refused.append(command_id)
        return Refusal(NO_ROOM)

    def _fault(self, command: Command, message: Message, issued: datetime) -> str:
        now, expires = self._clock.now(), message.expires_at
        if expires is None:
            return "it has no expires_at, and would be valid for ever"
        if expires - min(issued, now) > VALID_AT_MOST:
            return f"it expires more than {VALID_AT_MOST.days} days after it was issued"
        if issued > now + AHEAD_AT_MOST:
            return "it was issued in the future"
        wrong = what_is_wrong(command.name, command.arguments)
        return wrong if wrong or command.name in self._names else "name: this unit cannot do it"

    def _is_too_fast(self) -> bool:
        now_s = self._clock.monotonic_s()
        while self._taken_at and now_s - self._taken_at[0] > TAKEN_WITHIN_S:
            self._taken_at.popleft()
        if len(self._taken_at) >= TAKEN_AT_MOST:
            return True
        self._taken_at.append(now_s)
        return False

    def _refuse_for_good(self, command_id: str, until: datetime) -> None:
        """The same may not be taken later, when there is room again."""
        try:
            self._journal.raise_fence(until)
        except sqlite3.Error:
            self._refused.append(command_id)
