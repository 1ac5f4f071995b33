"""What is known of the time, and what is kept of it: a clock a year off must poison nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agent.clock_state import ALONE_FOR_S, SOFTWARE_MADE, ClockState, Timex, is_synchronised, kept_floor
from agent.link_tls import KnownTime
from agent.region_clock import RegionClock

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
YEAR = timedelta(days=365)


class Clocks:
    """A machine's clock, the region's and the kernel's word, each as wrong as the test wants."""

    def __init__(self, *, wall: datetime = NOW, synchronised: bool = False) -> None:
        self.kept: dict[str, bytes] = {}
        self.wall, self.synchronised, self.monotonic_s = wall, synchronised, 1000.0
        self.start()

    def start(self) -> None:
        floor = kept_floor(self)
        self.region = RegionClock(floor, wall_s=self.wall_s, monotonic_s=lambda: self.monotonic_s)
        self.state = ClockState(self.region, self, synchronised=lambda: self.synchronised, wall_s=self.wall_s)

    def wall_s(self) -> float:
        return self.wall.timestamp()

    def get(self, key: str) -> bytes | None:
        return self.kept.get(key)

    def put(self, key: str, value: bytes) -> None:
        self.kept[key] = value

    def passes(self, seconds: float) -> None:
        self.monotonic_s += seconds
        self.wall += timedelta(seconds=seconds)
        self.state.tick()


@pytest.mark.parametrize("wall", [NOW, NOW + YEAR, NOW - YEAR, datetime(1970, 1, 1, tzinfo=UTC)])
def test_a_clock_that_nobody_has_set_right_is_not_believed_and_not_kept(wall):
    clocks = Clocks(wall=wall)
    clocks.passes(2 * ALONE_FOR_S)
    assert clocks.state.known() == KnownTime(SOFTWARE_MADE, None)
    assert clocks.kept == {}


def test_time_servers_are_believed_before_the_region_whose_connection_is_to_be_judged():
    clocks = Clocks(synchronised=True)
    clocks.region.learn(NOW - YEAR, fresh=True)
    assert clocks.state.known().now == NOW


def test_the_regions_time_is_believed_where_there_are_no_servers():
    clocks = Clocks(wall=NOW + YEAR)
    clocks.region.learn(NOW, fresh=True)
    assert clocks.state.known().now == NOW


def test_servers_that_tell_a_time_that_is_certainly_past_are_not_believed():
    clocks = Clocks(wall=SOFTWARE_MADE - YEAR, synchronised=True)
    assert clocks.state.known().now is None


def test_what_both_tell_is_kept_at_once_and_over_a_restart():
    clocks = Clocks(synchronised=True)
    clocks.region.learn(NOW, fresh=True)
    clocks.passes(1)
    clocks.synchronised = False
    clocks.start()
    assert clocks.state.known() == KnownTime(NOW + timedelta(seconds=1), None)


@pytest.mark.parametrize("by_region", [True, False])
def test_what_one_alone_tells_is_kept_after_an_hour(by_region):
    clocks = Clocks(synchronised=not by_region)
    if by_region:
        clocks.region.learn(NOW, fresh=True)
    clocks.passes(60)
    clocks.passes(ALONE_FOR_S - 60)
    assert clocks.kept == {}
    clocks.passes(60)
    assert clocks.state.known().floor == clocks.wall


def test_a_region_that_is_a_year_ahead_for_a_while_locks_nobody_out_for_ever():
    clocks = Clocks(synchronised=True)
    clocks.region.learn(NOW + YEAR, fresh=True)
    for _ in range(10):
        clocks.passes(ALONE_FOR_S)
    assert clocks.kept == {}


def test_a_damaged_note_of_the_floor_is_as_none():
    clocks = Clocks()
    clocks.kept["alive"] = b"tomorrow"
    assert kept_floor(clocks) == SOFTWARE_MADE


@pytest.mark.parametrize(
    ("returned", "status", "said"),
    [(0, 0, True), (0, 0x40, False), (5, 0, False), (-1, 0, False), (2, 0x2001, True)],
)
def test_the_kernels_word(returned, status, said):
    def adjtimex(timex: Timex) -> int:
        timex.status = status
        return returned

    assert is_synchronised(adjtimex) is said


def test_this_machines_kernel_answers_as_its_own_structure_says():
    assert is_synchronised() in {True, False}
    timex = Timex()
    import ctypes

    assert ctypes.CDLL(None).adjtimex(ctypes.byref(timex)) >= 0
    assert abs(timex.sec - datetime.now(UTC).timestamp()) < 60  # the field after nine longs and two ints
    assert timex.tick in range(9000, 11001)


def test_what_up_info_says():
    clocks = Clocks(wall=NOW + timedelta(seconds=90))
    assert clocks.state.report().model_dump() == {"source": "", "synchronised": False, "offset_s": None}
    clocks.region.learn(NOW, fresh=True)
    clocks.synchronised = True
    assert clocks.state.report().model_dump() == {"source": "ntp", "synchronised": True, "offset_s": 90.0}


def test_what_is_past_is_known_each_minute_and_written_once_an_hour():
    clocks = Clocks(synchronised=True)
    clocks.region.learn(NOW, fresh=True)
    written: list[bytes] = []
    clocks.put = lambda _key, value: written.append(value)
    for _ in range(59):
        clocks.passes(60)
    assert len(written) == 1
    assert clocks.state.known().floor >= NOW + timedelta(minutes=58)
    clocks.passes(120)
    assert len(written) == 2
