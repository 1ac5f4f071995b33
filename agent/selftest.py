"""The room proves itself: before a session the unit has seen, heard, encoded and reached the region."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

REGION_WAIT_S = 6.0
REGION_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Verdict:
    """One probe's word: `figure` in `unit`, and why when it is not ok."""

    probe: str
    ok: bool
    figure: float
    unit: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SelfTest:
    """All probes' words; the probes that failed are the room's faults."""

    verdicts: tuple[Verdict, ...]

    @property
    def faults(self) -> tuple[str, ...]:
        """Names of the failed probes, in the order they ran."""
        return tuple(verdict.probe for verdict in self.verdicts if not verdict.ok)


async def region(is_reached: Callable[[], bool]) -> Verdict:
    """Whether the region has answered us; waits a little, since the link may just be on its way up."""
    waited_s = 0.0
    while not is_reached() and waited_s < REGION_WAIT_S:
        await asyncio.sleep(REGION_POLL_S)
        waited_s += REGION_POLL_S
    ok = is_reached()
    return Verdict("region", ok, waited_s, "s", "" if ok else "no answer from the region")


class SelfTester:
    """Runs one self-test at a time; on_done gets what it found. Used on the event loop.

    `probe` tries the devices. It cannot be broken off, since threads hold them, and is waited for by over().
    """

    def __init__(
        self,
        is_reached: Callable[[], bool],
        probe: Callable[[], Awaitable[Sequence[Verdict]]],
        on_done: Callable[[SelfTest], None],
    ) -> None:
        self._is_reached = is_reached
        self._probe = probe
        self._on_done = on_done
        self._task: asyncio.Task[None] | None = None
        self._probing = False

    @property
    def is_over(self) -> bool:
        """Whether no test runs."""
        return self._task is None or self._task.done()

    def start(self) -> None:
        """Begin, unless a test runs already."""
        if self.is_over:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="self-test")

    def stop(self) -> None:
        """Someone needs the camera: wait no longer for the region, and begin no probe."""
        if self._task is not None and not self._probing:
            self._task.cancel()

    async def over(self) -> None:
        """Wait until no device is held by a test, some seconds at most."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        reached = await region(self._is_reached)
        self._probing = True
        try:
            probed = await self._probe()
        finally:
            self._probing = False
        self._on_done(SelfTest((reached, *probed)))
