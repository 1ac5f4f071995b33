"""`update`: a new system for the whole machine. One coroutine, walked again from its record after every restart.

downloading → installing → waiting for a free room → restarting → proving. A part that somebody in the room would
notice waits until nobody is there and no session begins soon. What is written down is written before it is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from pydantic import TypeAdapter

from agent.commands.busy import why_busy
from agent.commands.deeds import InTask, Refused
from agent.commands.life import Ended, Entry, Progress
from agent.helper import HelperFailed
from agent.store import Store
from agent.unit import Unit
from agent.update.download import Control, DownloadError, Trust, Wanted, clear, fetch
from agent.update.proof import Proof
from agent.update.record import Phase, Record, after_start, refuse
from agent.update.told import Told
from firmware.update.slots import Slots

KEY = "update"
QUIET_BEFORE = timedelta(minutes=30)
"""A session that is booked finds the unit as it was, also if the new system has to go back: 15 minutes at most."""
SLOTS_WITHIN_S = 120
STALLED_AFTER_S = 1200
"""An installation that says nothing new for so long."""
RESTART_WITHIN_S = 180
PROVE_WITHIN_S = 480
"""From the agent's start. Root has a deadline of its own: 12 minutes from the machine's start."""
PERCENT_STEP = 10
_RECORD: TypeAdapter[Record] = TypeAdapter(Record)


async def _a_second() -> None:
    await asyncio.sleep(1.0)


class Ask(Protocol):
    """Root's part, by agent/helper.py. Raises HelperFailed."""

    def __call__(
        self, name: str, *, within_s: float | None = None, **values: object
    ) -> Awaitable[object]: ...


@dataclass(slots=True)
class Parts:
    """What an update needs of the agent; one for all updates of a start."""

    unit: Unit
    store: Store
    folder: Path
    ask: Ask
    told: Told
    proof: Proof
    trust: Callable[[], Trust]
    changed_info: Callable[[], None] = lambda: None
    second: Callable[[], Awaitable[None]] = _a_second
    """Lets a second pass."""
    running: str = ""
    """The command that is being done."""

    def disturbs(self) -> str:
        """Why the unit must not be put out of work now; empty when it may."""
        busy, start = why_busy(self.unit), self.unit.next_start()
        if busy or start is None or start - self.unit.clock.now() > QUIET_BEFORE:
            return busy
        return f"a session begins within {QUIET_BEFORE.seconds // 60} minutes"


class UpdateDeed(InTask):
    """A Deed of InTask's, which also says how far it is."""

    def __init__(self, parts: Parts, entry: Entry) -> None:
        super().__init__(self._do)
        self._parts = parts
        self._entry = entry
        self._said = self._told = ""
        self._control = Control()

    def tick(self) -> Ended | Progress | None:
        """Whether it has ended, or is further."""
        ended = self._ended()
        if ended is not None or self._said == self._told:
            return ended
        self._told = self._said
        return Progress(self._said)

    def stop(self) -> None:
        """The agent ends, or the time is up. What root installs it goes on installing; that starts nothing."""
        self._control.stopped.set()
        if self._parts.running == self._entry.id:
            self._parts.running = ""
        super().stop()

    async def _do(self) -> Mapping[str, str]:
        """From where the record says; ends in Refused, or with what the new system is."""
        if self._parts.running not in {"", self._entry.id}:
            raise Refused("another update is under way; wait for its end, or cancel it before it begins")
        self._parts.running = self._entry.id
        record = self._recall()
        if record is not None and record.phase == Phase.OVER:
            return _result(record, await self._slots())
        try:
            return await self._walk(record)
        except (Refused, HelperFailed, DownloadError) as error:
            await self._give_up(str(error))
            raise Refused(str(error)) from None
        finally:
            self._parts.running = ""

    async def _walk(self, record: Record | None) -> Mapping[str, str]:
        slots = await self._slots()
        if record is None:
            refuse(self._entry.arguments, slots)
            record = Record(self._entry.id, slots.booted, slots.version)
        else:
            record = after_start(record, slots)
        self._keep(record)
        if record.phase == Phase.DOWNLOADING:
            record = await self._download(record)
        if record.phase == Phase.INSTALLING:
            record = await self._install(record)
        if record.phase == Phase.WAITING:
            await self._restart(record)
        return await self._prove(record)

    async def _download(self, record: Record) -> Record:
        given = self._entry.arguments
        wanted = Wanted(given["url"], int(given["size"]), given["sha256"])
        fetching = asyncio.ensure_future(
            asyncio.to_thread(fetch, wanted, self._parts.folder, self._parts.trust(), self._control)
        )
        while not fetching.done():
            busy = why_busy(self._parts.unit)  # a call needs the line
            self._control.may_go.clear() if busy else self._control.may_go.set()
            percent = self._control.have * 100 // wanted.size // PERCENT_STEP * PERCENT_STEP
            self._say(f"downloading, waits: {busy}" if busy else f"downloading, {percent} %")
            await self._parts.second()
        fetching.result()
        return self._keep(replace(record, phase=Phase.INSTALLING, attempts=0))

    async def _install(self, record: Record) -> Record:
        """Once only, unless the machine restarted in the middle."""
        job, told = self._job(record), self._parts.told
        known = told.installation()
        if known is None or known.id != job or known.state == "failed":
            await self._until_free("waits to install")
            record = self._keep(
                replace(record, attempts=record.attempts + 1, faults=self._parts.proof.faults())
            )
            job = self._job(record)
            given = self._entry.arguments
            downgrade = given.get("allow_downgrade") == "yes"
            await self._parts.ask("install", job=job, version=given["version"], allow_downgrade=downgrade)
        percent, silent_s = -1, 0
        while silent_s < STALLED_AFTER_S:
            known = told.installation()
            if known is not None and known.id == job and known.state == "failed":
                raise Refused(f"it was not installed: {known.reason}")
            if known is not None and known.id == job and known.state == "done":
                clear(self._parts.folder)
                return self._keep(replace(record, phase=Phase.WAITING, attempts=0))
            if known is not None and known.id == job and known.percent != percent:
                percent, silent_s = known.percent, 0
                self._say(f"installing, {percent // PERCENT_STEP * PERCENT_STEP} %")
            silent_s += 1
            await self._parts.second()
        raise Refused("the installation stands still; look at halsorum-update.service and rauc.service")

    async def _restart(self, record: Record) -> None:
        """Does not return."""
        await self._until_free("installed, waits to restart")
        self._say("restarting")
        await self._parts.second()
        await self._parts.second()  # the word of it is sent first
        self._keep(replace(record, phase=Phase.RESTARTING))
        await self._parts.ask("restart")
        for _ in range(RESTART_WITHIN_S):
            await self._parts.second()
        raise Refused("the machine did not restart though it was told to")

    async def _prove(self, record: Record) -> Mapping[str, str]:
        """In the new system. Of one that fails the command's end is told by the old one."""
        waited_s = 0
        while True:
            slots = await self._slots()
            if slots.is_proven:
                break
            lacking = self._parts.proof.lacking(record.faults)
            if lacking != record.lacking:
                record = self._keep(replace(record, lacking=lacking))
            if not lacking:
                lacking = await self._asked("good")
            if waited_s == PROVE_WITHIN_S:
                await self._asked("back")  # otherwise root's deadline does it
            done = "goes back" if waited_s >= PROVE_WITHIN_S else "proving"
            self._say(f"{done}: {lacking}" if lacking else done)
            waited_s += 1
            await self._parts.second()
        self._parts.changed_info()
        return _result(self._keep(replace(record, phase=Phase.OVER, lacking="")), slots)

    async def _asked(self, name: str) -> str:
        """Have root do it; why not, where it would not."""
        try:
            await self._parts.ask(name)
        except HelperFailed as error:
            return str(error)
        return ""

    async def _until_free(self, what: str) -> None:
        while why := self._parts.disturbs():
            self._say(f"{what}: {why}")
            await self._parts.second()

    async def _slots(self) -> Slots:
        for _ in range(SLOTS_WITHIN_S):
            slots = self._parts.told.slots()
            if slots is not None:
                return slots
            await self._parts.second()
        raise Refused("it is not known which slot runs; look at halsorum-update.service on the unit")

    async def _give_up(self, reason: str) -> None:
        """What was begun is taken away, and the other slot is not booted by anybody."""
        record = self._recall()
        self._control.stopped.set()
        clear(self._parts.folder)
        if record is None:
            return
        self._keep(replace(record, phase=Phase.OVER, failed=reason))
        if record.phase in {Phase.RESTARTING, Phase.PROVING, Phase.WAITING}:
            await self._asked("clean")  # if it is not, GRUB leaves a slot alone that was tried

    def _job(self, record: Record) -> str:
        return f"{sha256(self._entry.id.encode()).hexdigest()[:16]}-{record.attempts}"

    def _say(self, text: str) -> None:
        self._said = text[:500]

    def _recall(self) -> Record | None:
        kept = self._parts.store.get(KEY)
        record = _RECORD.validate_json(kept) if kept else None
        return record if record is not None and record.command == self._entry.id else None

    def _keep(self, record: Record) -> Record:
        self._parts.store.put(KEY, _RECORD.dump_json(record))
        return record


def _result(record: Record, slots: Slots) -> Mapping[str, str]:
    """Raises Refused where it had failed."""
    if record.failed:
        raise Refused(record.failed)
    return {"version": slots.version, "slot": slots.booted, "version_before": record.from_version}
