"""The machine's own verdicts: clock, certificate, disk, heat, voltage, update."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from agent.contract.status import Clock, Storage
from agent.machine_heat import Heat, Sensor
from agent.probes.machine import (
    CLOCK_OFF_S,
    Machine,
    MachineProbe,
    judged_certificate,
    judged_clock,
    judged_disk,
    judged_heat,
    judged_update,
)
from agent.selftest import Context
from agent.update.told import Told

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def instructions(verdicts):
    return [verdict.instruction for verdict in verdicts if not verdict.ok]


@pytest.mark.parametrize(
    ("offset_s", "level"), [(None, None), (-CLOCK_OFF_S + 1, "ok"), (CLOCK_OFF_S, "warn"), (-86400.0, "warn")]
)
def test_a_clock_is_judged_when_the_region_has_told_the_time(offset_s, level):
    verdict = judged_clock(Clock(offset_s=offset_s))
    assert (verdict and verdict.level) == level
    assert judged_clock(None) is None


def machine(days_left, life_days=90, *, is_up=True):
    ends = NOW + timedelta(days=days_left)
    return Machine(ends - timedelta(days=life_days), ends, is_up=lambda: is_up)


@pytest.mark.parametrize(
    ("subject", "instruction"),
    [
        (machine(31), ""),
        (machine(13.9), "certificate_soon"),
        (machine(9, life_days=30), ""),  # renewal has begun a day ago
        (machine(4.9, life_days=30), "certificate_soon"),
        (machine(-1, is_up=True), "certificate_soon"),
        (machine(-1, is_up=False), "certificate"),
    ],
)
def test_a_certificate_that_should_have_been_renewed_is_told_before_it_ends(subject, instruction):
    verdict = judged_certificate(subject, NOW)
    assert verdict is not None
    assert verdict.instruction == instruction
    assert judged_certificate(subject, None) is None


def test_a_disk_that_is_not_well_is_left_to_the_note_where_there_is_one():
    assert judged_disk(None) is None
    full = Storage(state="full", reason="less than 16 MiB are free", free_bytes=1 << 20)
    assert judged_disk(full) is None
    verdict = judged_disk(full, is_noted=False)
    assert verdict is not None
    assert (verdict.instruction, verdict.figure) == ("disk", 1.0)
    repaired = judged_disk(Storage(state="repaired", free_bytes=3 << 20))
    assert repaired is not None
    assert (repaired.ok, repaired.figure) == (True, 3.0)


def at(celsius):
    return (Sensor("cpu-thermal", celsius, 80.0),)


@pytest.mark.parametrize(
    ("heat", "expected"),
    [
        (Heat(), []),
        (Heat(at(79.0), slowed="cpufreq-cpu0", under_voltage=False), []),  # slow to save power
        (Heat(at(80.0)), ["temperature"]),
        (Heat(at(84.0), slowed="cpufreq-cpu0"), ["throttled"]),
        (Heat(at(84.0), events=3), ["throttled"]),
        (Heat(at(60.0), slowed="the firmware"), ["throttled"]),
        (Heat(at(60.0), slowed="the firmware", under_voltage=True), ["voltage"]),
        (Heat(at(81.0), under_voltage=True), ["voltage", "temperature"]),
    ],
)
def test_heat_and_voltage_are_told_by_their_cause(heat, expected):
    assert instructions(judged_heat(heat)) == expected


@pytest.mark.parametrize(
    ("told", "hours", "level"),
    [
        (None, 0, None),
        ({"state": "failed", "reason": "no space"}, 0, "warn"),
        ({"state": "done", "reason": ""}, 23, "ok"),
        ({"state": "done", "reason": ""}, 25, "warn"),
    ],
)
def test_an_update_that_failed_or_waits_for_a_day_is_told(tmp_path, told, hours, level):
    file, wall_s = tmp_path / "install.json", NOW.timestamp()
    if told is not None:
        file.write_text(json.dumps({"id": "a-1", "percent": 100, **told}))
        os.utime(file, (wall_s - hours * 3600,) * 2)
    verdict = judged_update(Told(tmp_path), wall_s)
    assert (verdict and verdict.level) == level


def test_only_what_a_counter_grows_by_within_a_second_says_that_the_processor_is_slowed(
    tmp_path, monkeypatch
):
    counter = tmp_path / "devices/system/cpu/cpu0/thermal_throttle/package_throttle_count"
    zone = tmp_path / "class/thermal/thermal_zone0"
    for file, text in ((counter, "7"), (zone / "temp", "91000"), (zone / "type", "soc")):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    grows = iter(["7", "9"])

    async def pause(self, seconds):
        counter.write_text(next(grows))
        return True

    monkeypatch.setattr(Context, "pause", pause)
    probe = MachineProbe(lambda: Machine(NOW, NOW, sys=tmp_path, update_folder=tmp_path))
    assert instructions(asyncio.run(probe.run(Context()))) == ["temperature"]
    assert instructions(asyncio.run(probe.run(Context()))) == ["throttled"]
