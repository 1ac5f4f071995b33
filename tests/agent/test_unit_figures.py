"""The unit's own figures: when they are sent, and what is in them."""

import logging
from dataclasses import replace

import pytest

from agent.link_figures import UNANSWERED_AT_MOST, LinkFigures
from agent.machine import MachineTotals
from agent.unit_figures import FIRST_AFTER_S, INTERVAL_S, Sources, UnitFigures, throttled


@pytest.fixture
def sources(tmp_path, house):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "uptime").write_text("3600.5 7000.0\n")
    (tmp_path / "proc" / "meminfo").write_text("MemTotal: 2048 kB\nMemAvailable: 1024 kB\n")
    (tmp_path / "sys/devices/platform/soc/soc:firmware").mkdir(parents=True)
    (tmp_path / "sys/devices/platform/soc/soc:firmware/get_throttled").write_text("50000\n")
    readings = iter([MachineTotals(1.0, 100, 400, 80.0, 48.0), MachineTotals(7.0, 200, 600, 81.0, 49.0)])
    return Sources(
        tmp_path,
        wall_s=lambda: house.time.wall.timestamp() + 2,
        read_machine=lambda _proc, _sys: next(readings),
        proc=tmp_path / "proc",
        sys=tmp_path / "sys",
    )


def sent_nothing(_body):
    return False


def test_where_the_machine_is_looked_at_is_the_profiles_own_folder(house, tmp_path):
    (tmp_path / "class/thermal/thermal_zone0").mkdir(parents=True)
    (tmp_path / "class/thermal/thermal_zone0/temp").write_text("91500\n")
    sources = Sources(tmp_path, sys=tmp_path)
    assert UnitFigures(house.unit, sources, sent_nothing).take().temperature_c == 91.5


def test_one_a_minute_with_shares_from_the_second_on(ready_house, sources):
    sent = []
    figures = UnitFigures(ready_house.unit, sources, lambda body: not sent.append(body))
    for _ in range(int(FIRST_AFTER_S + INTERVAL_S) + 1):
        figures.tick()
        ready_house.tick()
    first, second = sent
    assert (first.processor, first.temperature_c, first.memory_used_mib) == (None, 48.0, 1.0)
    assert (second.processor, second.agent_processor) == (0.5, pytest.approx(0.1))
    assert (second.sessions, second.clock_offset_s, second.machine_uptime_s) == (1, pytest.approx(2), 3600.5)
    assert second.disk_free_mib > 0
    assert second.throttled is False


def test_a_machine_that_tells_nothing_still_sends_and_a_fault_is_only_logged(
    house, sources, tmp_path, caplog
):
    sources.proc = tmp_path / "nowhere"

    def broken(_proc, _sys):
        raise OSError

    sources.read_machine = broken
    told = UnitFigures(house.unit, sources, lambda _: True).take()
    assert (told.memory_total_mib, told.processor) == (None, None)
    assert UnitFigures(house.unit, replace(sources, sys=tmp_path), sent_nothing).take().throttled is None

    def fault(_body):
        raise KeyError("Kanarie")

    figures = UnitFigures(house.unit, sources, fault)
    house.tick(seconds=100)
    with caplog.at_level(logging.ERROR):
        figures.tick()
    assert "figures were not taken" in caplog.text
    assert "Kanarie" not in caplog.text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0\n", (False, False)),
        ("throttled=0x50005", (True, True)),
        ("50000", (False, False)),
        ("0x2", (True, False)),
    ],
)
def test_what_the_firmware_says_of_now(tmp_path, text, found):
    (tmp_path / "get_throttled").write_text(text)
    said = throttled((tmp_path / "none", tmp_path / "get_throttled"))
    assert (said["throttled"], said["under_voltage"]) == found
    assert throttled((tmp_path / "none",)) == {}


def test_the_round_trip_of_what_was_acknowledged():
    now = [10.0]
    link = LinkFigures(lambda: now[0])
    link.connected()
    link.published(1)
    now[0] += 0.025
    link.acknowledged(1)
    link.acknowledged(2)
    assert (link.connects, link.rtt_ms) == (1, 25.0)
    for mid in range(UNANSWERED_AT_MOST * 2):
        link.published(mid)
    assert len(link._sent) == UNANSWERED_AT_MOST
    link.connected()
    link.acknowledged(UNANSWERED_AT_MOST)
    assert (link.connects, link.rtt_ms) == (2, 25.0)
