"""Takes commands, lets each wait for its time, does it once and tells the region how far it has come.

Nothing is done, and nothing told, before the journal holds it: what a kill leaves is then what was told or less.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from agent.commands.deeds import Deed, Kind
from agent.commands.intake import TOO_MANY, Intake, Refusal
from agent.commands.journal import CommandJournal
from agent.commands.life import (
    Begun,
    CancelAsked,
    Ended,
    Entry,
    Event,
    Passed,
    Progress,
    Restarted,
    State,
    TimeUp,
    Waits,
    step,
)
from agent.contract import Message, Topic
from agent.contract.commands import Command, CommandReport
from agent.fault_points import Reached, from_environment
from agent.faults import kind_and_place
from agent.region_clock import RegionClock
from agent.store import Store

log = logging.getLogger(__name__)

HELD_AT_MOST = 50
"""Before the time is known."""
NO_ROOM_YET = "the disk is full, so it cannot be written down"

Send = Callable[[Topic, BaseModel, int | None], bool]
_Run = tuple[Entry, Deed, float]
_Said = TypeVar("_Said")


@dataclass(frozen=True, slots=True)
class Start:
    """Which start of the agent, and of the machine (random(4)), this is."""

    boot: int
    machine: str


class Commands:
    """Used on the event loop only. `busy` says why the room is not to be disturbed now, if it is not."""

    def __init__(
        self,
        store: Store,
        clock: RegionClock,
        unit: str,
        send: Send,
        *,
        kinds: Mapping[str, Kind],
        start: Start,
        busy: Callable[[], str] = lambda: "",
        reached: Reached | None = None,
    ) -> None:
        self._clock = clock
        self._unit = unit
        self._send = send
        self._kinds = kinds
        self._start = start
        self._busy = busy
        self._reached = reached if reached is not None else from_environment()
        self._journal = CommandJournal(store)
        self._intake = Intake(self._journal, clock, kinds.keys())
        self._open = {entry.id: entry for entry in self._journal.open()}
        self._running: dict[str, _Run] = {}
        self._unwritten: dict[str, Entry] = {}
        self._held: dict[str, Message] = {}
        self._pruned_on: date | None = None
        self._after_start()

    def _after_start(self) -> None:
        """What was running when the agent ended is judged; none of it is done again."""
        for entry in [entry for entry in self._open.values() if entry.state == State.RUNNING]:
            self._move(entry, Restarted(self._start.boot, self._start.machine))

    def heard(self, message: Message, _payload: bytes) -> None:
        """`dn/cmd/{id}`: a command, the same again, or that it is taken back."""
        command: Command = message.data
        command_id = message.topic.levels[0]
        entry = self._known(command_id)
        if entry is None and (self._journal.fence is None or not self._clock.is_sure):
            self._hold(message)
        elif entry is None:
            if self._take(message):
                self._go_on()
        elif not (command.cancel and self._move(entry, CancelAsked())):
            self._report(entry)

    def cleared(self, topic: Topic) -> None:
        """The region has emptied `dn/cmd/{id}`: it knows how the command ended, or wants it no longer."""
        command_id = topic.levels[0]
        entry = self._open.get(command_id)
        if entry is not None and entry.state == State.ACCEPTED:
            self._move(entry, CancelAsked())
            entry = self._open.get(command_id)
        if entry is None or not entry.is_over or command_id in self._unwritten:
            return
        try:
            self._journal.told(command_id)
        except sqlite3.Error as error:
            _complain(error)
            return
        del self._open[command_id]
        self._reached("told", command_id)

    def connection(self, up: bool) -> None:
        """Say again what the region may not have heard, until it has cleared it."""
        if up:
            for entry in list(self._open.values()):
                self._report(entry)

    def acknowledged(self) -> None:
        """The region has told the time. A journal without a fence begins here, and not at the next tick: what the
        region issues meanwhile is to be done."""
        if self._journal.fence is None:
            self._once_time_is_known()

    def tick(self) -> None:
        """Once a second."""
        if self._clock.is_sure:
            self._once_time_is_known()
        for entry in list(self._unwritten.values()):
            self._write(entry)
        for entry, deed, until_s in list(self._running.values()):
            self._watch(entry, deed, until_s)
        self._go_on()

    def stop(self) -> None:
        """The agent ends: so does what runs. The next start says what became of it."""
        for _, deed, _ in self._running.values():
            deed.stop()
        self._running.clear()

    def _hold(self, message: Message) -> None:
        """Whether it is still valid cannot be told yet. What is retained comes again on the next connect."""
        if len(self._held) < HELD_AT_MOST or message.topic.levels[0] in self._held:
            self._held[message.topic.levels[0]] = message
        else:
            self._refuse(message.topic.levels[0], TOO_MANY)

    def _once_time_is_known(self) -> None:
        now = self._clock.now()
        try:
            if self._journal.fence is None and self._clock.is_learnt:
                self._journal.raise_fence(now)
            if self._pruned_on != now.date():
                self._journal.forget_old(now)
                self._pruned_on = now.date()
        except sqlite3.Error as error:
            _complain(error)
        if self._journal.fence is not None:
            held, self._held = self._held, {}
            for message in held.values():
                self.heard(message, b"")

    def _known(self, command_id: str) -> Entry | None:
        return self._open.get(command_id) or self._journal.get(command_id)

    def _take(self, message: Message) -> bool:
        """Write a new command down and say so; or say why not."""
        command_id = message.topic.levels[0]
        waiting = sum(1 for entry in self._open.values() if not entry.is_over)
        try:
            taken = self._intake.judge(message, waiting)
            self._reached("taken", command_id)
            if not self._write(taken, keep_trying=False):
                raise self._intake.no_room(command_id)
        except Refusal as refusal:
            self._refuse(command_id, str(refusal))
            return False
        return True

    def _refuse(self, command_id: str, reason: str) -> None:
        self._tell(command_id, CommandReport(state="rejected", reason=reason))

    def _go_on(self) -> None:
        """Begin what may begin now, in the order it came."""
        for entry in [entry for entry in self._open.values() if entry.state == State.ACCEPTED]:
            if self._move(entry, Passed()):
                continue
            kind = self._kinds.get(entry.name)
            if kind is None:
                continue  # of another version of this software; it expires
            reason = self._busy() if kind.disturbs else ""
            if reason:
                self._move(entry, Waits(reason))
            elif not self._is_in_way(kind):
                self._begin(entry, kind)

    def _is_in_way(self, kind: Kind) -> bool:
        running = [self._kinds[entry.name] for entry, _, _ in self._running.values()]
        return any(kind.alone or other.alone for other in running)

    def _begin(self, entry: Entry, kind: Kind) -> None:
        begun = step(entry, Begun(self._start.boot, self._start.machine), self._clock.now())
        self._reached("begins", entry.id)
        if not self._write(begun, keep_trying=False):
            self._open[entry.id] = waits = replace(entry, reason=NO_ROOM_YET)
            if entry.reason != NO_ROOM_YET:
                self._report(waits)
            return
        log.info("command %s (%s) begins", entry.id, entry.name, extra={"halsorum_command": entry.name})
        self._do(begun, kind)

    def _do(self, entry: Entry, kind: Kind) -> None:
        deed = kind.make(entry)
        self._running[entry.id] = (entry, deed, self._clock.monotonic_s() + entry.timeout_s)
        self._reached("running", f"{entry.id} {entry.name}")
        ended = _guarded(deed.begin)
        if ended is not None:
            self._end(entry, ended)

    def _watch(self, entry: Entry, deed: Deed, until_s: float) -> None:
        ended = _guarded(deed.tick)
        if isinstance(ended, Progress):
            if self._move(entry, ended):
                self._running[entry.id] = (self._open[entry.id], deed, until_s)
        elif ended is not None:
            self._end(entry, ended)
        elif self._clock.monotonic_s() > until_s:
            deed.stop()
            self._end(entry, TimeUp())

    def _end(self, entry: Entry, event: Ended | TimeUp) -> None:
        self._running.pop(entry.id, None)
        self._reached("ended", entry.id)
        self._move(entry, event)

    def resume(self) -> None:
        """After the start, when all is joined: a wipe that was broken off goes on, and an update."""
        for entry in [entry for entry in self._open.values() if entry.state == State.RUNNING]:
            kind = self._kinds.get(entry.name)
            if kind is None:
                self._move(entry, Ended(State.FAILED, "the software that runs now cannot go on with it"))
            elif entry.id not in self._running:
                self._do(entry, kind)

    def _move(self, entry: Entry, event: Event) -> bool:
        """Follow the table; False if nothing changed."""
        moved = step(entry, event, self._clock.now())
        if moved == entry:
            return False
        self._write(moved)
        return True

    def _write(self, entry: Entry, *, keep_trying: bool = True) -> bool:
        """Write down, then tell. On a full disk what has happened is told as soon as it can be written."""
        try:
            self._journal.put(entry)
        except sqlite3.Error as error:
            if keep_trying:
                self._open[entry.id] = self._unwritten[entry.id] = entry
            _complain(error)
            return False
        self._unwritten.pop(entry.id, None)
        self._open[entry.id] = entry
        self._reached(f"written-{entry.state.value}", entry.id)
        self._report(entry)
        return True

    def _report(self, entry: Entry) -> None:
        if entry.id not in self._unwritten:
            said = {"state": entry.state.value, "reason": entry.reason[:500]}
            try:
                report = CommandReport.model_validate({**said, "result": dict(entry.result)})
            except ValidationError:
                # A result that the contract does not take must not keep the region from knowing how it ended.
                log.error("command %s: its result does not fit into a report", entry.id)  # noqa: TRY400
                report = CommandReport.model_validate(said)
            self._tell(entry.id, report)

    def _tell(self, command_id: str, report: CommandReport) -> None:
        self._send(Topic(self._unit, "up/cmd", (command_id,)), report, None)


def _guarded(work: Callable[[], _Said]) -> _Said | Ended:
    try:
        return work()
    except Exception as error:
        return Ended(State.FAILED, f"it broke off at a fault ({kind_and_place(error)})")


def _complain(error: sqlite3.Error) -> None:
    log.error("the journal of commands cannot be written (%s); free space on the disk", type(error).__name__)
