"""The region's time, as last learnt; the unit's own counts only until then, never backwards."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""Another after each start of the machine (random(4)): monotonic times compare within one boot only."""


class RegionClock:
    """Tells the time by the region's clock, carried on by the machine's monotonic clock.

    floor is the latest time the unit has ever known to be past: no clock can be earlier.
    """

    def __init__(
        self,
        floor: datetime,
        *,
        wall_s: Callable[[], float] = time.time,
        monotonic_s: Callable[[], float] = time.monotonic,
        boot_id: Callable[[], str] = lambda: BOOT_ID.read_text().strip(),
    ) -> None:
        self._floor = floor
        self._wall_s = wall_s
        self.monotonic_s = monotonic_s
        self._boot_id = boot_id
        self._recalled = False
        self._learnt: tuple[datetime, float] | None = None

    @property
    def is_learnt(self) -> bool:
        """Whether the region has told the time since the start."""
        return self._learnt is not None and not self._recalled

    @property
    def is_sure(self) -> bool:
        """Whether this is the region's time, learnt since the start or before it."""
        return self._learnt is not None

    def memory(self) -> bytes:
        """What a later run of the agent needs to know the time if the machine has not restarted."""
        return json.dumps(
            [self._boot_id(), self.monotonic_s(), self.is_sure, self.now().isoformat()]
        ).encode()

    def recall(self, memory: bytes) -> timedelta:
        """Go on from an earlier run's memory; how long ago it was written, never less than nothing.

        After a restart of the machine the wall clock must do, since nothing else went on counting.
        """
        boot_id, then_s, was_sure, then = json.loads(memory)
        at = datetime.fromisoformat(then)
        if boot_id != self._boot_id():
            return max(self.now() - at, timedelta(0))
        away = timedelta(seconds=max(0.0, self.monotonic_s() - then_s))
        if was_sure and self._learnt is None:
            self._learnt = (at + away, self.monotonic_s())
            self._recalled = True
        return away

    def learn(self, region_time: datetime, *, fresh: bool) -> None:
        """Take the time from a message: a fresh one always, one that may have waited only if later."""
        if fresh or self._learnt is None or region_time > self.now():
            self._learnt = (region_time, self.monotonic_s())
            self._recalled = False
            self._floor = max(self._floor, region_time)

    def now(self) -> datetime:
        """The region's time, in UTC."""
        if self._learnt is None:
            return max(datetime.fromtimestamp(self._wall_s(), UTC), self._floor)
        at, since_s = self._learnt
        return at + timedelta(seconds=self.monotonic_s() - since_s)
