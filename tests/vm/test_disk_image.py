from __future__ import annotations

import shutil
import struct
from pathlib import Path

import pytest

from tests.vm.disk_image import DiskError, Partition, make_ext4, partition, partitions, write_partition
from tests.vm.machine import Machine

pytestmark = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in ("qemu-img", "qemu-io", "mke2fs")),
    reason="needs qemu-utils and e2fsprogs",
)
SECTOR = 512


def with_table(file: Path, *entries: tuple[str, int, int]) -> Path:
    """A disk with a GPT of these (name, first sector, last sector), an empty entry between each two."""
    header = b"EFI PART" + bytes(64) + struct.pack("<QII", 2, 128, 128)
    table = b""
    for name, first, last in entries:
        entry = b"T" * 16 + bytes(16) + struct.pack("<QQ", first, last) + bytes(8)
        table += (entry + name.encode("utf-16-le")).ljust(128, b"\0") + bytes(128)
    file.write_bytes((bytes(SECTOR) + header).ljust(2 * SECTOR, b"\0") + table.ljust(128 * 128, b"\0"))
    with file.open("r+b") as opened:
        opened.truncate(2 << 20)
    return file


def test_partitions_are_found_by_name(tmp_path: Path) -> None:
    image = with_table(tmp_path / "image", ("esp", 64, 127), ("identity", 128, 255))
    assert partitions(image) == {
        "esp": Partition("esp", 64 * SECTOR, 64 * SECTOR),
        "identity": Partition("identity", 128 * SECTOR, 128 * SECTOR),
    }


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    image = with_table(tmp_path / "image", ("esp", 64, 127))
    with pytest.raises(DiskError, match="no partition 'data', only esp"):
        partition(image, "data")
    (tmp_path / "other").write_bytes(bytes(4096))
    with pytest.raises(DiskError, match="has no GPT"):
        partitions(tmp_path / "other")


def test_a_file_system_is_written_into_its_partition_and_the_image_stays_as_it_was(tmp_path: Path) -> None:
    image = with_table(tmp_path / "image", ("identity", 128, 2175))
    before = image.read_bytes()
    place = partition(image, "identity")
    content = tmp_path / "content"
    content.mkdir()
    (content / "serial").write_text("hs-1")
    made = make_ext4(tmp_path / "identity.ext4", place.size_bytes, "halsorum-id", content)
    disk = Machine(image, tmp_path / "vm").disk
    write_partition(disk, place, made)
    raw = tmp_path / "raw"
    import subprocess

    subprocess.run(["qemu-img", "convert", "-O", "raw", str(disk), str(raw)], check=True)
    read = raw.read_bytes()
    assert read[place.start_byte : place.start_byte + place.size_bytes] == made.read_bytes()
    assert b"halsorum-id" in read and b"hs-1" in read
    assert image.read_bytes() == before


def test_what_is_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DiskError, match="do not fit into identity"):
        write_partition(tmp_path / "disk", Partition("identity", 0, 512), bytes(513))
