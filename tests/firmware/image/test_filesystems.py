import os
import shutil
import subprocess
from pathlib import Path

import pytest

from firmware.image import disk, filesystems
from firmware.image.layout import MIB, Partition, placed

EPOCH_S = 1_700_000_000


def needs(*programs: str) -> pytest.MarkDecorator:
    missing = [name for name in programs if shutil.which(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} not installed")


def test_files_younger_than_the_commit_are_made_as_old(tmp_path: Path) -> None:
    for name, time in (("old", 5), ("young", EPOCH_S + 5)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time, time))
    filesystems.clamp_times(tmp_path, EPOCH_S)
    assert [int((tmp_path / name).stat().st_mtime) for name in ("old", "young")] == [5, EPOCH_S]


def test_files_of_one_second_are_moved_to_another(tmp_path: Path) -> None:
    for name, time in (("unpacked", 1000), ("other", 1001)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time, time))
    filesystems.change_time(tmp_path, 1000, 2000)
    assert [int((tmp_path / name).stat().st_mtime) for name in ("unpacked", "other")] == [2000, 1001]


@needs("mke2fs", "debugfs", "dumpe2fs")
def test_ext4_is_the_same_whatever_the_order_and_hour_of_the_files(tmp_path: Path) -> None:
    made = []
    for order in (1, -1):
        folder = tmp_path / f"folder{order}"
        folder.mkdir()
        for name in ["a", "b", "c"][::order]:
            (folder / name).write_text(name)
        filesystems.clamp_times(folder, EPOCH_S)
        image = tmp_path / f"{order}.ext4"
        filesystems.make_ext4(image, filesystems.Ext4("halsorum-id", 4 * MIB, ("vm", "1")), folder, EPOCH_S)
        made.append(image.read_bytes())
    assert made[0] == made[1]


@needs("mkfs.vfat", "mcopy", "mmd", "mtype")
def test_fat_has_the_files_in_their_folders(tmp_path: Path) -> None:
    file = tmp_path / "grub.cfg"
    file.write_text("boot\n")
    image = tmp_path / "esp.fat"
    filesystems.make_fat(image, 40 * MIB, "01234567", {"grub/deep/grub.cfg": file}, EPOCH_S)
    shown = subprocess.run(
        ["mtype", "-i", str(image), "::/grub/deep/grub.cfg"], check=True, capture_output=True
    )
    assert shown.stdout == b"boot\n"


@needs("sfdisk")
def test_disk_has_each_content_at_its_partition_and_is_sparse(tmp_path: Path) -> None:
    partitions = [Partition("root-a", 4 * MIB), Partition("root-b", 4 * MIB)]
    content, target = tmp_path / "root", tmp_path / "disk.img"
    content.write_bytes(b"r" * MIB + bytes(MIB) + b"s")
    disk.write_disk(target, "vm", partitions, {"root-a": content})
    start = placed("vm", partitions)[0].start
    assert target.read_bytes()[start : start + 2 * MIB + 1] == content.read_bytes()
    assert target.stat().st_blocks * 512 < 4 * MIB
    with content.open("ab") as file:
        file.truncate(5 * MIB)
    with pytest.raises(ValueError, match="larger than root-a"):
        disk.write_disk(target, "vm", partitions, {"root-a": content})
