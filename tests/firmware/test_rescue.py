"""What systemd has given up is started again, ever later; in the end the machine is, but not beside a call."""

from __future__ import annotations

import pytest

from firmware.rescue import RESTART_MACHINE_FOR, WAITS_S, WELL_AFTER_S, plan, rescue

AGENT, SOUND = "halsorum-agent.service", "halsorum-audio.service"


@pytest.fixture
def machine(tmp_path):
    """Rescues a unit and gives what systemd was told; time passes by waiting alone."""

    class Machine:
        now_s, waits, told, counts = 1000.0, [], [], tmp_path / "counts"

        def sleep(self, for_s):
            self.waits.append(for_s)
            self.now_s += for_s

        def rescue(self, unit):
            self.told.clear()
            rescue(
                unit,
                self.counts,
                systemctl=lambda *words: self.told.append(words),
                sleep=self.sleep,
                now_s=lambda: self.now_s,
            )
            return list(self.told)

    machine = Machine()
    machine.waits, machine.told = [], []
    return machine


def test_each_start_waits_longer_and_in_the_end_the_machine_starts(machine):
    for _ in WAITS_S:
        assert machine.rescue(AGENT) == [("reset-failed", AGENT), ("--no-block", "start", AGENT)]
    assert tuple(machine.waits) == WAITS_S
    assert machine.rescue(AGENT) == [("reboot",)]


def test_beside_a_call_the_machine_stays_on_and_sound_is_tried_for_ever(machine):
    assert SOUND not in RESTART_MACHINE_FOR
    for _ in range(len(WAITS_S) * 3):
        assert machine.rescue(SOUND)[-1] == ("--no-block", "start", SOUND)
    assert machine.waits[-1] == WAITS_S[-1]


def test_one_that_was_well_for_long_begins_anew(machine):
    for _ in WAITS_S:
        machine.rescue(AGENT)
    machine.now_s += WELL_AFTER_S + 1
    machine.rescue(AGENT)
    assert machine.waits[-1] == WAITS_S[0]


def test_a_count_that_is_no_count_is_none(machine):
    machine.counts.mkdir()
    (machine.counts / AGENT).write_text("torn")
    machine.rescue(AGENT)
    assert machine.waits == [WAITS_S[0]]


def test_the_waits_grow():
    assert list(WAITS_S) == sorted(WAITS_S)
    assert plan(AGENT, 0, 0.0).wait_s < plan(AGENT, len(WAITS_S), 0.0).wait_s
