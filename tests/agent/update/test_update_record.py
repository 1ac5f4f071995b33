"""Where an update goes on after a restart: the slots decide."""

from __future__ import annotations

import pytest

from agent.commands.deeds import Refused
from agent.update.record import ATTEMPTS_AT_MOST, Phase, Record, after_start, refuse
from firmware.update.slots import Slots

ASKED = {"compatible": "halsorum-vm", "version": "0.5.1"}
OLD = Slots("A", "A", "halsorum-vm", "0.5.0")
NEW = Slots("B", "A", "halsorum-vm", "0.5.1")
TRIED = Slots("A", "A", "halsorum-vm", "0.5.0", tried=True)
RECORD = Record("c1", "A", "0.5.0")


@pytest.mark.parametrize("asked", [ASKED, ASKED | {"version": "0.5.0"}, ASKED | {"version": "0.10.0"}])
def test_what_is_as_new_or_newer_is_taken(asked):
    refuse(asked, OLD)


@pytest.mark.parametrize(
    ("asked", "slots", "why"),
    [
        (ASKED | {"compatible": "halsorum-pi5"}, OLD, "this unit is halsorum-vm"),
        (ASKED | {"version": "0.4.9"}, OLD, "older than 0.5.0"),
        (ASKED | {"version": "0.5.0-rc1"}, OLD, "older than 0.5.0"),
        (ASKED, Slots("A", "A", "halsorum-vm", ""), "older than unknown"),
        (ASKED, NEW, "not proven"),
        (ASKED, Slots("", "", "", ""), "not started from a slot"),
    ],
)
def test_what_is_not_for_this_unit_is_refused_before_it_is_fetched(asked, slots, why):
    with pytest.raises(Refused, match=why):
        refuse(asked, slots)


def test_an_older_one_comes_in_where_that_is_said():
    refuse(ASKED | {"version": "0.4.9", "allow_downgrade": "yes"}, OLD)


def in_phase(phase, **more):
    return Record("c1", "A", "0.5.0", phase, **more)


@pytest.mark.parametrize("phase", [Phase.INSTALLING, Phase.WAITING, Phase.RESTARTING, Phase.PROVING])
def test_whoever_runs_from_the_other_slot_is_to_prove_it_whatever_was_noted(phase):
    assert after_start(in_phase(phase), NEW).phase == Phase.PROVING


@pytest.mark.parametrize("phase", [Phase.DOWNLOADING, Phase.INSTALLING, Phase.WAITING])
def test_in_the_old_slot_it_goes_on_where_it_was(phase):
    assert after_start(in_phase(phase), OLD) == in_phase(phase)


@pytest.mark.parametrize("phase", [Phase.RESTARTING, Phase.PROVING])
def test_back_in_the_old_slot_it_has_failed_and_says_what_was_lacking(phase):
    with pytest.raises(Refused, match="old one is back: the touchscreen is dark"):
        after_start(in_phase(phase, lacking="the touchscreen is dark"), TRIED)
    with pytest.raises(Refused, match="did not start as far as to tell"):
        after_start(in_phase(phase), TRIED)


def test_power_lost_before_the_other_slot_was_made_active_is_no_trial():
    again = after_start(in_phase(Phase.RESTARTING), OLD)
    assert (again.phase, again.attempts) == (Phase.WAITING, 1)


def test_power_that_is_lost_again_and_again_ends_it():
    with pytest.raises(Refused, match="broken off"):
        after_start(in_phase(Phase.INSTALLING, attempts=ATTEMPTS_AT_MOST), OLD)
