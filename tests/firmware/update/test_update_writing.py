"""How far an installation is, by the kernel's counters."""

from __future__ import annotations

from firmware.update import writing
from firmware.update.writing import MOST, Watched, written_bytes


def test_the_kernels_count_of_a_partition_is_read_through_its_label(tmp_path):
    (tmp_path / "block/vda3").mkdir(parents=True)
    (tmp_path / "block/vda3/stat").write_text(" 1 2 3 4 5 6 2048 8 9 10 11\n")
    (tmp_path / "vda3").touch()
    (tmp_path / "root-b").symlink_to(tmp_path / "vda3")
    assert written_bytes(tmp_path / "root-b", tmp_path / "block") == 1024 * 1024
    assert written_bytes(tmp_path / "none", tmp_path / "block") == 0


def test_it_is_told_as_it_changes_and_never_as_all(monkeypatch):
    monkeypatch.setattr(writing, "LOOK_EVERY_S", 0.001)
    counts, told = iter([1000, 1000, 1500, 1500, 2000, 99999]), []
    watched = Watched(lambda: next(counts, 99999), 1000, told.append)
    with watched:
        while told[-1:] != [MOST]:
            pass
    assert told == [0, 50, MOST]
