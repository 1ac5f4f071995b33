"""The room proves itself: before a session the unit has seen, heard, encoded and reached the region."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from agent.contract.instructions import worst_first
from agent.faults import kind_and_place
from agent.room import Occasion
from agent.verdict import Verdict, found

log = logging.getLogger(__name__)

LOOK_S = 0.1
AGAIN_WITHIN_S = 15.0
"""Of a test, in which what is not well is tried a second time. One that has taken longer says what it has: the
room gives it 40 s (agent/room.py), and what is slow need not be slow twice to be known. Where IT has given a slow
machine more, as much more of it."""


@dataclass(slots=True)
class Context:
    """One self-test, as its probes see it; `stopped` is set, from any thread, when somebody needs the room.

    present: what the panel's sensor says. moved: whether the camera saw something move, None before it has looked.
    """

    occasion: Occasion = "command"
    present: bool | None = None
    moved: bool | None = None
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def may_sound(self) -> bool:
        """Whether sound may be played: not while somebody sits there, unless staff ask for it."""
        somebody = bool(self.moved) if self.present is None else self.present
        return self.occasion == "staff" or not somebody

    async def pause(self, seconds: float) -> bool:
        """Wait; False at once when the test is to end."""
        waited_s = 0.0
        while waited_s < seconds and not self.stopped.is_set():
            await asyncio.sleep(min(LOOK_S, seconds - waited_s))
            waited_s += LOOK_S
        return not self.stopped.is_set()


class Probe(Protocol):
    """One part of the room that is tried, such as the camera. Gives way within a second when `stopped` is set.

    Its verdicts take the place of its former ones; None leaves those: it was not the moment to try.
    """

    @property
    def name(self) -> str: ...
    async def run(self, context: Context) -> Sequence[Verdict] | None: ...


@dataclass(frozen=True, slots=True)
class SelfTest:
    """All probes' words."""

    verdicts: tuple[Verdict, ...]
    occasion: Occasion = "command"

    @property
    def faults(self) -> tuple[str, ...]:
        """The instructions that keep visits out, the first to follow first."""
        return worst_first(v.instruction for v in self.verdicts if v.level == "fail")

    @property
    def warnings(self) -> tuple[str, ...]:
        """Those that do not."""
        return worst_first(v.instruction for v in self.verdicts if v.level == "warn")

    @property
    def fields(self) -> dict[str, str | int | float | bool]:
        """For the event `selftest`: of each probe its figure, or why it is not well."""
        fields: dict[str, str | int | float | bool] = {"ok": not self.faults, "occasion": self.occasion}
        for verdict in self.verdicts:
            fields[verdict.probe] = round(verdict.figure, 2) if verdict.ok else (verdict.reason or "failed")
        return fields


class SelfTester:
    """Runs one self-test at a time; on_done gets what it found, and nothing of one that was stopped. Used on the
    event loop.

    stages: one after the other, the probes of each side by side. What is not well is tried a second time before
    it is believed, within again_within_s: a machine that was busy for a second is no fault of the room. One that
    was stopped may still be giving its devices back when the next is asked for: that begins then. over() waits for
    the probes that hold devices.
    """

    def __init__(
        self,
        stages: Sequence[Sequence[Probe]],
        on_done: Callable[[SelfTest], None],
        present: Callable[[], bool | None] = lambda: None,
        *,
        again_within_s: float = AGAIN_WITHIN_S,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stages = stages
        self._again_within_s = again_within_s
        self._monotonic_s = monotonic_s
        self._on_done = on_done
        self._present = present
        self._context = Context()
        self._known: dict[str, tuple[Verdict, ...]] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def is_over(self) -> bool:
        """Whether no test runs."""
        return self._task is None or self._task.done()

    def start(self, occasion: Occasion = "command") -> None:
        """Begin, unless a test runs already."""
        if not self.is_over and not self._context.stopped.is_set():
            return
        self._context = Context(occasion, self._present())
        work = self._run(self._context, None if self.is_over else self._task)
        self._task = asyncio.get_running_loop().create_task(work, name="self-test")

    def stop(self) -> None:
        """Someone needs the camera: the probes give way, and what they found is not told."""
        self._context.stopped.set()

    async def over(self) -> None:
        """Wait until no device is held by a test, a second or two at most."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _run(self, context: Context, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
            if context.stopped.is_set():
                return
        until_s = self._monotonic_s() + self._again_within_s
        for stage in self.stages:
            each = await asyncio.gather(*(self._try(probe, context, until_s) for probe in stage))
            if context.stopped.is_set():
                return
            self._known.update(
                {
                    probe.name: verdicts
                    for probe, verdicts in zip(stage, each, strict=True)
                    if verdicts is not None
                }
            )
        names = [probe.name for stage in self.stages for probe in stage]
        verdicts = tuple(verdict for name in names for verdict in self._known.get(name, ()))
        self._on_done(SelfTest(verdicts, context.occasion))

    async def _try(self, probe: Probe, context: Context, until_s: float) -> tuple[Verdict, ...] | None:
        verdicts: tuple[Verdict, ...] | None = None
        for _ in range(2):
            try:
                given: Sequence[Verdict] | None = await probe.run(context)
            except Exception as error:
                log.error("self-test: the probe of the %s failed: %s", probe.name, kind_and_place(error))  # noqa: TRY400
                given = (found("selftest", reason=f"the probe of the {probe.name} failed"),)
            verdicts = None if given is None else tuple(given)
            is_well = verdicts is None or all(verdict.ok for verdict in verdicts)
            if is_well or context.stopped.is_set() or self._monotonic_s() > until_s:
                break
        return verdicts
