"""What is known of the time: the kernel's word on its own clock, the region's, and what is certainly past."""

from __future__ import annotations

import ctypes
import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from agent.contract.status import Clock
from agent.link_tls import KnownTime
from agent.region_clock import RegionClock

SOFTWARE_MADE = datetime(2026, 1, 1, tzinfo=UTC)
"""No clock of ours is older than the software itself."""
AGREE_WITHIN = timedelta(days=1)
"""Region and time servers further apart than this: one is wrong, and neither moves the floor."""
ALONE_FOR_S = 3600.0
"""Where only one of them tells the time, it moves the floor after having told it for so long: a clock that is a
year ahead for a moment must not make all certificates look expired for ever."""
LOOK_EVERY_S = 60.0
KEEP_EVERY_S = 3600.0
"""What is certainly past may lag behind by so long: a room in which nothing happens writes once an hour."""
_STA_UNSYNC = 0x0040
_TIME_ERROR = 5


class Timex(ctypes.Structure):
    """`struct timex` of adjtimex(2)."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        *((name, ctypes.c_long) for name in ("offset", "freq", "maxerror", "esterror")),
        ("status", ctypes.c_int),
        *((name, ctypes.c_long) for name in ("constant", "precision", "tolerance", "sec", "usec", "tick")),
        *((name, ctypes.c_long) for name in ("ppsfreq", "jitter")),
        ("shift", ctypes.c_int),
        *((name, ctypes.c_long) for name in ("stabil", "jitcnt", "calcnt", "errcnt", "stbcnt")),
        ("tai", ctypes.c_int),
        ("reserved", ctypes.c_int * 11),
    )


def is_synchronised(adjtimex: Callable[[Timex], int] | None = None) -> bool:
    """Whether the kernel calls its clock synchronised, which a time server's client tells it (adjtimex(2)).

    A clock that somebody has set by hand is not, nor is one whose servers have been silent for most of a day.
    """
    timex = Timex()
    try:
        state = adjtimex(timex) if adjtimex is not None else _ask_kernel(timex)
    except OSError:
        return False
    return state not in {-1, _TIME_ERROR} and not timex.status & _STA_UNSYNC


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _ask_kernel(timex: Timex) -> int:
    return int(_libc().adjtimex(ctypes.byref(timex)))


class Keeps(Protocol):
    """Where the floor is kept over a restart."""

    def get(self, key: str) -> bytes | None: ...
    def put(self, key: str, value: bytes) -> None: ...


def kept_floor(store: Keeps) -> datetime:
    """The latest time that is certainly past, from earlier runs and from the software's own making."""
    kept = store.get("alive")
    try:
        return max(SOFTWARE_MADE, datetime.fromisoformat(kept.decode())) if kept else SOFTWARE_MADE
    except ValueError:
        return SOFTWARE_MADE


@dataclass(frozen=True, slots=True)
class _Told:
    """Who tells the time, and since when without a break."""

    by: str
    since_s: float


class ClockState:
    """Used on the event loop; `known` may be asked on any thread."""

    def __init__(
        self,
        clock: RegionClock,
        store: Keeps,
        *,
        synchronised: Callable[[], bool] = is_synchronised,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._store = store
        self._synchronised = synchronised
        self._wall_s = wall_s
        self._floor = kept_floor(store)
        self._looked_at_s = self._written_at_s = float("-inf")
        self._told: _Told | None = None

    def known(self) -> KnownTime:
        """What certificates may be judged by. Time servers come first: the region's time comes over the very
        connection that is to be judged."""
        servers = self._by_servers()
        if servers is not None:
            return KnownTime(self._floor, servers)
        return KnownTime(self._floor, self._by_region())

    def tick(self) -> None:
        """Once a second: learn and keep what is certainly past."""
        now_s = self._clock.monotonic_s()
        if now_s < self._looked_at_s + LOOK_EVERY_S:
            return
        self._looked_at_s = now_s
        servers, region = self._by_servers(), self._by_region()
        if servers is not None and region is not None:
            self._told = None
            if abs(servers - region) <= AGREE_WITHIN:
                self._keep(min(servers, region))
            return
        alone = servers or region
        by = "servers" if servers is not None else "region" if region is not None else ""
        if self._told is None or self._told.by != by:
            self._told = _Told(by, now_s)
        if alone is not None and now_s >= self._told.since_s + ALONE_FOR_S:
            self._keep(alone)

    def report(self) -> Clock:
        """For `up/info`."""
        synchronised = self._synchronised()
        offset = None
        if self._clock.is_learnt:
            offset = round(self._wall_s() - self._clock.now().timestamp(), 1)
        return Clock(source="ntp" if synchronised else "", synchronised=synchronised, offset_s=offset)

    def _by_servers(self) -> datetime | None:
        """A synchronised clock that stands before what is certainly past is believed nothing."""
        wall = datetime.fromtimestamp(self._wall_s(), UTC)
        return wall if self._synchronised() and wall >= self._floor else None

    def _by_region(self) -> datetime | None:
        return self._clock.now() if self._clock.is_sure else None

    def _keep(self, past: datetime) -> None:
        now_s = self._clock.monotonic_s()
        if past <= self._floor:
            return
        self._floor = past
        if now_s >= self._written_at_s + KEEP_EVERY_S:
            self._written_at_s = now_s
            self._store.put("alive", past.isoformat().encode())
