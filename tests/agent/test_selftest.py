"""The probe for the region, and which probes are the room's faults."""

from __future__ import annotations

import asyncio

import pytest

from agent import selftest
from agent.selftest import SelfTest, Verdict, region


@pytest.fixture
def waited(monkeypatch):
    """Lets time pass at once; holds how long, in seconds."""
    passed = []

    async def pass_by(seconds):
        passed.append(seconds)

    monkeypatch.setattr(selftest.asyncio, "sleep", pass_by)
    return passed


def test_the_failed_probes_are_the_faults_in_their_order():
    verdicts = tuple(Verdict(name, name == "encoder", 1.0, "s") for name in ("camera", "encoder", "region"))
    assert SelfTest(verdicts).faults == ("camera", "region")


def test_a_region_that_is_there_is_not_waited_for(waited):
    assert asyncio.run(region(lambda: True)) == Verdict("region", ok=True, figure=0.0, unit="s")
    assert waited == []


def test_a_region_on_its_way_up_counts_and_one_that_never_comes_is_a_fault(waited):
    late = asyncio.run(region(lambda: len(waited) >= 3))
    assert (late.ok, late.figure) == (True, pytest.approx(0.3))
    never = asyncio.run(region(lambda: False))
    assert (never.ok, never.reason) == (False, "no answer from the region")
    assert never.figure == pytest.approx(selftest.REGION_WAIT_S, abs=selftest.REGION_POLL_S)
