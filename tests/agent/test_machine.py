"""The computer's figures, from files as Linux writes them."""

import os

from agent.machine import read_totals


def make(tmp_path, *zones):
    (tmp_path / "self").mkdir()
    (tmp_path / "stat").write_text("cpu  100 5 45 700 50 0 10 0 0 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
    (tmp_path / "self" / "statm").write_text("60000 40960 9000 1 0 50000 0\n")
    for number, text in enumerate(zones):
        zone = tmp_path / "sys/class/thermal" / f"thermal_zone{number}"
        zone.mkdir(parents=True)
        (zone / "temp").write_text(text)
    return read_totals(tmp_path, tmp_path / "sys")


def test_busy_is_all_but_idle_and_waiting(tmp_path):
    totals = make(tmp_path)
    assert (totals.busy, totals.total) == (160, 910)
    assert totals.memory_mib == 40960 * os.sysconf("SC_PAGE_SIZE") / 2**20
    assert totals.temperature_c is None


def test_the_hottest_zone_counts_and_one_that_is_off_does_not(tmp_path):
    assert make(tmp_path, "48200\n", "61500\n", "").temperature_c == 61.5


def test_this_computer_can_be_read():
    totals = read_totals()
    assert totals.agent_s > 0 < totals.memory_mib
    assert totals.busy <= totals.total
