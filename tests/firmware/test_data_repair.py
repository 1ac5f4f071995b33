"""`repair-data` as root: it touches the data partition alone, and only where something is wrong with it."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace

import pytest

from firmware.data_disk import Mount, Partition, file_system_on
from firmware.data_partition import MAKE_ANEW
from firmware.data_repair import CannotRepair, clean, repair
from tests.firmware.data_tree import machine


@pytest.fixture
def places(tmp_path):
    return machine(tmp_path, (2, "root-a", 4096, 1000, False))


@pytest.fixture
def partition(places):
    device = places.dev / "vda5"
    device.write_bytes(os.urandom(8 << 20))
    return Partition(device, places.dev / "vda", 5)


@pytest.fixture
def mounted(places, monkeypatch):
    """Says that the partition is mounted there, with these options, after what is bound from it elsewhere."""

    def at(place, *options, free=20 << 20, bound=()):
        place.mkdir(exist_ok=True)
        kept = [Mount("254:5", each, "ext4", frozenset(options)) for each in (*bound, place)]
        frees = free if isinstance(free, list) else [free]
        monkeypatch.setattr("firmware.data_repair.where_mounted", lambda _partition, _mounts: kept)
        monkeypatch.setattr("firmware.data_repair.total_bytes", lambda _place: 1 << 30)
        monkeypatch.setattr(
            "firmware.data_repair.free_bytes", lambda _place: frees.pop(0) if len(frees) > 1 else frees[0]
        )

    return at


def test_what_is_bound_from_it_elsewhere_does_not_hide_that_it_is_mounted(places, partition, mounted):
    mounted(places.data, free=[1 << 20, 20 << 20], bound=(places.folders[0].seen_at,))
    assert repair(partition, places) == "cleaned"


def test_garbage_that_nobody_uses_becomes_a_labelled_file_system(places, partition):
    assert repair(partition, places) == "made_anew"
    assert file_system_on(partition.device).label == "halsorum-data"
    subprocess.run(["e2fsck", "-n", "-f", partition.device], check=True, capture_output=True)


@pytest.mark.parametrize("which", ["none", "read-only", "too small"])
def test_what_cannot_be_repaired_from_here_says_what_to_do(places, partition, which):
    if which == "too small":
        partition.device.write_bytes(bytes(10))
    given = {"none": None, "read-only": replace(partition, is_read_only=True), "too small": partition}[which]
    words = {
        "none": "write its image anew",
        "read-only": "replace the disk",
        "too small": "no file system could be made",
    }
    with pytest.raises(CannotRepair, match=words[which]):
        repair(given, places)


def test_what_is_well_or_in_use_elsewhere_is_left_alone(places, partition, mounted):
    before = partition.device.read_bytes()
    mounted(places.data, "rw")
    with pytest.raises(CannotRepair, match="is well"):
        repair(partition, places)
    mounted(places.data.parent / "elsewhere", "rw")
    with pytest.raises(CannotRepair, match="is in use at"):
        repair(partition, places)
    assert partition.device.read_bytes() == before


def test_one_that_stopped_taking_writes_is_looked_at_by_the_next_start(places, partition, mounted):
    mounted(places.data, "ro")
    assert repair(partition, places) == "restart"


@pytest.mark.parametrize(("after", "how"), [(20 << 20, "cleaned"), (0, "at_restart")])
def test_a_full_one_is_cleaned_of_all_but_the_agents_store(places, partition, mounted, after, how):
    mounted(places.data, "rw", free=[0, after, after])
    agent = places.data / "agent"
    (agent / "deep").mkdir(parents=True)
    for name in ("unit.db", "unit.db-wal", "filler", "deep/filler"):
        (agent / name).touch()
    (places.data / "stray").touch()
    assert repair(partition, places) == how
    assert sorted(path.name for path in agent.iterdir()) == ["unit.db", "unit.db-wal"]
    assert not (places.data / "stray").exists()
    assert (places.data / MAKE_ANEW).exists() is (how == "at_restart")


def test_cleaning_follows_no_link(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    data = tmp_path / "data"
    (data / "agent").mkdir(parents=True)
    (data / "agent/link").symlink_to(outside)
    (data / "top").symlink_to(outside)
    clean(data)
    assert (outside / "kept").exists()
    assert not (data / "top").is_symlink()
    assert not list((data / "agent").iterdir())
