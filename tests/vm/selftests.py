"""The self-test seen from outside: one asked for over the broker, and what the region knows of the room then."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from agent.selftest import SelfTest
from agent.verdict import Verdict
from provisioning.fleet_models import CommandRow
from provisioning.models import UnitReport
from tests.system.visit import command, database
from tests.vm.lab import Lab

TESTED_WITHIN_S = 270.0
"""A test that runs already is awaited, and another follows it; each is over within 120 s (unit_vm.toml)."""
KNOWN_WITHIN_S = 60.0
WELL_WITHIN_S = 180.0
"""A room that lacks something tries again 30 s after each test."""
POLL_S = 0.25
KEPT = "/run/halsorum/screen/selftest.json"
OPEN = ("sent", "accepted", "running")


@dataclass(frozen=True)
class Tested:
    """What came of it. faults: instructions that keep visits out; warnings: those that do not."""

    seconds: float
    faults: tuple[str, ...]
    warnings: tuple[str, ...]
    verdicts: dict[str, Verdict]
    """By probe."""

    @property
    def all_lacking(self) -> tuple[str, ...]:
        """The first to be done first."""
        return (*self.faults, *self.warnings)

    def figures(self) -> str:
        """Of all probes, in words."""
        return ", ".join(f"{v.probe} {v.figure:.4g} {v.unit}".strip() for v in self.verdicts.values())


def selftest(lab: Lab) -> Tested:
    """`halsorum command send UNIT selftest`, to its end. Raises AssertionError where it does not come to one."""
    began = time.monotonic()
    sent = str(command(lab.stack, "command", "send", lab.unit, "selftest")["id"])
    until = began + TESTED_WITHIN_S
    while (ended := _state(lab, sent))[0] in OPEN:
        assert time.monotonic() < until, f"the self-test did not end: {ended}"
        time.sleep(POLL_S)
    state, reason = ended
    took_s, kept = time.monotonic() - began, last(lab)
    assert state == "succeeded", f"{state}: {reason}, but kept is {kept}"
    return Tested(took_s, kept.faults, kept.warnings, kept.verdicts)


def last(lab: Lab) -> Tested:
    """The unit's last self-test, as it keeps it for whoever stands there (agent/selftest_kept.py)."""
    verdicts = [Verdict(**each) for each in json.loads(lab.vm.get(KEPT))["verdicts"]]
    result = SelfTest(tuple(verdicts))
    return Tested(0.0, result.faults, result.warnings, {each.probe: each for each in verdicts})


def by_hand(lab: Lab) -> tuple[str, ...]:
    """What `halsorum selftest` in the machine says that the room lacks, worst first."""
    told = json.loads(lab.vm.run("halsorum selftest --json", timeout_s=120).out)
    assert not told["not_tried"], "the command found no agent that runs"
    return (*told["faults"], *told["warnings"])


def lacks(lab: Lab) -> tuple[str, ...]:
    """Instructions that the region holds of the unit, the first to be done first."""
    with database(lab.stack) as db:
        found = db.get(UnitReport, lab.unit)
        return () if found is None else tuple(str(fault["instruction"]) for fault in found.faults)


def wait_until_known(lab: Lab, instruction: str) -> str:
    """Until the region's list of rooms that are booked and not ready names it first; that line, in words."""
    lab.vm.wait_for(lambda: lacks(lab)[:1] == (instruction,), f"{instruction} at the region", KNOWN_WITHIN_S)
    lines = [line for line in command(lab.stack, "region", "not-ready") if line["unit"] == lab.unit]
    assert [line["instruction"] for line in lines] == [instruction], lines
    return f"{lab.report()[0]}, not-ready: {lines[0]['instruction']} ({lines[0]['level']}): {lines[0]['do']}"


def wait_until_gone(lab: Lab, instruction: str) -> float:
    """Until the unit has found by itself that it is mended, and the region knows; the seconds."""
    return lab.vm.wait_for(lambda: instruction not in lacks(lab), f"{instruction} mended", WELL_WITHIN_S)


def _state(lab: Lab, command_id: str) -> tuple[str, str]:
    with database(lab.stack) as db:
        row = db.get(CommandRow, command_id)
        return ("unknown", "") if row is None else (row.state, row.reason)
