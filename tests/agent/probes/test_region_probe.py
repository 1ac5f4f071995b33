"""The region is waited for a little, as the link may be on its way up."""

from __future__ import annotations

import asyncio

import pytest

from agent import selftest
from agent.probes.checks import Checks
from agent.probes.region import REGION_WAIT_S, RegionProbe
from agent.selftest import Context
from agent.verdict import found, well


@pytest.fixture
def waited(monkeypatch):
    """Lets time pass at once; holds how long, in seconds."""
    passed = []

    async def pass_by(seconds):
        passed.append(seconds)

    monkeypatch.setattr(selftest.asyncio, "sleep", pass_by)
    return passed


def test_a_region_that_is_there_is_not_waited_for(waited):
    assert asyncio.run(RegionProbe(lambda: True).run(Context())) == [well("region", 0.0, "s")]
    assert waited == []


def test_a_region_on_its_way_up_counts_and_one_that_never_comes_is_a_fault(waited):
    (late,) = asyncio.run(RegionProbe(lambda: len(waited) >= 3).run(Context()))
    assert (late.ok, late.figure) == (True, pytest.approx(0.3))
    (never,) = asyncio.run(RegionProbe(lambda: False).run(Context()))
    assert (never.instruction, never.reason) == ("region", "no answer from the region")
    assert never.figure == pytest.approx(REGION_WAIT_S, abs=selftest.LOOK_S)


def test_checks_that_have_nothing_to_say_are_left_out():
    expired = found("certificate", reason="the certificate has expired")
    checks = Checks([lambda: None, lambda: expired])
    assert asyncio.run(checks.run(Context())) == [expired]
