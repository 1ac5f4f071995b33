"""The region must answer now; it is waited for a little, as the link may be on its way up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from agent import selftest
from agent.probes.checks import Checks
from agent.probes.region import REGION_WAIT_S, SLOW_MS, WAIT_AGAIN_S, RegionProbe
from agent.selftest import LOOK_S, Context
from agent.verdict import found, well


@dataclass
class Region:
    """up_at, answers_after: in looks of the probe since the start, and since it was nudged. None: never."""

    up_at: int | None = 0
    answers_after: int | None = 0
    took_ms: float = 12.5
    looks: int = 0
    nudged_at: list[int] = field(default_factory=list)

    def probe(self) -> RegionProbe:
        return RegionProbe(
            is_up=lambda: self.up_at is not None and self.looks >= self.up_at,
            nudge=lambda: self.nudged_at.append(self.looks),
            now_s=lambda: float(self.looks),
            has_heard_since=self.has_heard_since,
            round_trip_ms=lambda: self.took_ms,
        )

    def has_heard_since(self, since_s: float) -> bool:
        if not self.nudged_at or self.answers_after is None:
            return False
        at = self.nudged_at[-1] + self.answers_after
        return self.looks >= at >= since_s


@pytest.fixture
def ask(monkeypatch):
    """Runs a probe while time passes at once."""

    def run(region, context=None, probe=None):
        async def pass_by(_seconds):
            region.looks += 1

        monkeypatch.setattr(selftest.asyncio, "sleep", pass_by)
        return asyncio.run((probe or region.probe()).run(context or Context()))

    return run


def test_a_region_that_answers_is_told_by_the_brokers_round_trip(ask):
    region = Region()
    assert ask(region) == [well("region", 12.5, "ms")]
    assert len(region.nudged_at) == 1


def test_an_answer_from_before_the_test_is_none(ask):
    region = Region(looks=50, nudged_at=[20], answers_after=None)
    assert ask(region)[0].instruction == "region"


def test_a_link_on_its_way_up_counts_and_a_region_that_never_answers_is_a_fault(ask):
    late = Region(up_at=30, answers_after=5)
    assert ask(late)[0].ok
    assert late.nudged_at == [30]
    gone, silent = Region(up_at=None), Region(answers_after=None)
    assert ask(gone)[0].reason == "no answer from the broker"
    assert ask(silent)[0].reason == "no answer from the region's service"
    assert (gone.looks * LOOK_S, silent.nudged_at) == (pytest.approx(REGION_WAIT_S, abs=0.2), [0])


def test_the_second_time_in_one_test_it_waits_less(ask):
    region, context = Region(up_at=None), Context()
    probe = region.probe()
    ask(region, context, probe)
    first = region.looks
    ask(region, context, probe)
    assert (region.looks - first) * LOOK_S == pytest.approx(WAIT_AGAIN_S, abs=0.2)


def test_a_slow_broker_is_a_warning_with_its_time(ask):
    [slow] = ask(Region(took_ms=SLOW_MS + 1))
    assert (slow.instruction, slow.level, slow.figure, slow.unit) == (
        "region_slow",
        "warn",
        SLOW_MS + 1,
        "ms",
    )
    assert ask(Region(took_ms=SLOW_MS))[0].ok


def test_checks_that_have_nothing_to_say_are_left_out():
    expired = found("certificate", reason="the certificate has expired")
    checks = Checks([lambda: None, lambda: expired])
    assert asyncio.run(checks.run(Context())) == [expired]
