"""Which partition is the data partition: one on the unit's own disk, or none."""

from __future__ import annotations

import subprocess

import pytest

from firmware.data_disk import FileSystem, Mount, file_system_on, find_data, mounts
from tests.firmware.data_tree import machine

TABLE = ((1, "esp", 2048, 1000, False), (2, "root-a", 4096, 1000, False), (4, "identity", 8192, 1000, False))


def found(places):
    return find_data(places.sys, places.proc, places.dev)


def test_the_partition_of_that_name_on_the_roots_disk(tmp_path):
    places = machine(tmp_path, *TABLE, (5, "data", 10000, 2000, True), disk_size=20000)
    partition = found(places)
    assert partition.device == places.dev / "vda5"
    assert partition.disk == places.dev / "vda"
    assert (partition.number, partition.start, partition.size, partition.is_read_only) == (
        5,
        10000,
        2000,
        True,
    )
    assert partition.behind_bytes == 8000 * 512


@pytest.mark.parametrize(
    "more",
    [
        (),
        ((5, "", 10000, 2000, False),),
        ((5, "data", 10000, 10, False), (6, "halsorum-data", 10100, 10, False)),
    ],
)
def test_no_name_or_two_of_them_is_no_partition(tmp_path, more):
    assert found(machine(tmp_path, *TABLE, *more)) is None


def test_a_disk_that_the_root_is_not_on_is_not_looked_at(tmp_path):
    assert found(machine(tmp_path, *TABLE, (5, "data", 10000, 2000, False), root="0:25")) is None


def test_a_mount_is_read_only_by_itself_or_by_its_file_system(tmp_path):
    places = machine(tmp_path, *TABLE)
    (places.proc / "self/mountinfo").write_text(
        "30 26 254:5 / /data rw,noatime shared:9 - ext4 /dev/vda5 ro,errors=remount-ro\n"
        "31 26 254:5 /agent /var/lib/a\\040b rw - ext4 /dev/vda5 rw\n"
    )
    whole, bound = mounts(places.proc)
    assert "ro" in whole.options
    assert bound == Mount("254:5", type(tmp_path)("/var/lib/a b"), "ext4", frozenset({"rw"}))


def test_a_label_is_read_without_any_program(tmp_path):
    image = tmp_path / "image"
    image.write_bytes(bytes(8 << 20))
    assert file_system_on(image) is None
    subprocess.run(
        ["mke2fs", "-q", "-t", "ext4", "-L", "halsorum-data", image], check=True, capture_output=True
    )
    assert file_system_on(image) == FileSystem("halsorum-data", 8 << 20)
    image.write_bytes(bytes(100))
    assert file_system_on(image) is None
    with pytest.raises(OSError, match="No such file"):
        file_system_on(tmp_path / "gone")
