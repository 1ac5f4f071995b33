"""The region's time, as last learnt; the unit's own counts only until then, never backwards."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


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
    ) -> None:
        self._floor = floor
        self._wall_s = wall_s
        self._monotonic_s = monotonic_s
        self._learnt: tuple[datetime, float] | None = None

    @property
    def is_learnt(self) -> bool:
        """Whether the region has told the time since the start."""
        return self._learnt is not None

    def learn(self, region_time: datetime, *, fresh: bool) -> None:
        """Take the time from a message: a fresh one always, one that may have waited only if later."""
        if fresh or self._learnt is None or region_time > self.now():
            self._learnt = (region_time, self._monotonic_s())
            self._floor = max(self._floor, region_time)

    def now(self) -> datetime:
        """The region's time, in UTC."""
        if self._learnt is None:
            return max(datetime.fromtimestamp(self._wall_s(), UTC), self._floor)
        at, since_s = self._learnt
        return at + timedelta(seconds=self._monotonic_s() - since_s)
