"""How far an installation is, by the kernel's counters."""

from __future__ import annotations

from firmware.update import writing
from firmware.update.writing import MOST, Watched, written_bytes
from tests.firmware.data_tree import machine


def test_the_kernels_count_of_a_partition_is_found_by_its_name_without_any_device(tmp_path):
    places = machine(tmp_path, (2, "root-a", 0, 10, False), (3, "root-b", 10, 10, False))
    counts = places.sys / "class/block/vda3/stat"
    counts.parent.mkdir(parents=True, exist_ok=True)
    counts.write_text(" 1 2 3 4 5 6 2048 8 9 10 11\n")
    assert written_bytes("root-b", places.sys, places.proc) == 1024 * 1024
    assert written_bytes("root-a", places.sys, places.proc) == 0  # nobody counts
    assert written_bytes("root-c", places.sys, places.proc) == 0


def test_it_is_told_as_it_changes_and_never_as_all(monkeypatch):
    monkeypatch.setattr(writing, "LOOK_EVERY_S", 0.001)
    counts, told = iter([1000, 1000, 1500, 1500, 2000, 99999]), []
    watched = Watched(lambda: next(counts, 99999), 1000, told.append)
    with watched:
        while told[-1:] != [MOST]:
            pass
    assert told == [0, 50, MOST]
