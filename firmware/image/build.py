"""Builds an image, from the recipe to the disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from firmware.image import disk, filesystems, grub, layout, raspberry, report, rootfs
from firmware.image.filesystems import Ext4
from firmware.image.job import Job, say

AGENT_ID = "970:970"
"""User and group `halsorum` (systemd/sysusers.conf)."""


def build(job: Job) -> Path:
    """All of it, in order; returns the image. Raises what a step raises, naming what is missing."""
    os.umask(0o022)
    shutil.rmtree(job.work, ignore_errors=True)
    job.work.mkdir(parents=True)
    rootfs.packages(job)
    rootfs.ours(job)
    rootfs.bytecode(job)
    rootfs.trim(job)
    rootfs.initial_ram_disk(job)
    found = report.components(job)
    filesystems.clamp_times(job.root, job.epoch_s)
    _disk(job)
    report.tell(job, found)
    return job.image


def _disk(job: Job) -> None:
    board, work = job.recipe.board, job.work
    partitions = layout.UEFI if job.recipe.boot == "grub" else layout.RASPBERRY
    size_of = {each.label: each.size for each in partitions}
    root_size = -(-int(filesystems.used_bytes(job.root) * filesystems.SPARE) // layout.MIB) * layout.MIB
    say(f"root file system of {root_size // layout.MIB} MiB")
    names = (board, job.version)
    kinds = {
        "root-a": Ext4("halsorum-root", root_size, (*names, "root"), journal=False),
        "identity": Ext4("halsorum-id", size_of["identity"], (*names, "identity"), owner=AGENT_ID),
        "data": Ext4("halsorum-data", size_of["data"], (*names, "data")),
    }
    files = {"root-a": work / "root.ext4", "identity": work / "identity.ext4", "data": work / "data.ext4"}
    for label, kind in kinds.items():
        filesystems.make_ext4(files[label], kind, job.root if label == "root-a" else None, job.epoch_s)
    files["esp"] = work / "esp.fat"
    _boot_partition(job, files["esp"], size_of["esp"])
    fresh = job.image.with_suffix(".img.new")
    disk.write_disk(fresh, board, partitions, files)
    fresh.rename(job.image)
    for label in ("identity", "data", "esp"):
        files[label].unlink()


def _boot_partition(job: Job, target: Path, size: int) -> None:
    recipe, written = job.recipe, job.work / "boot"
    written.mkdir()
    if recipe.boot == "grub":
        grub.make_program(written / "BOOTX64.EFI")
        (written / "grub.cfg").write_text(grub.config(recipe.command_line), encoding="utf-8")
        (written / "grubenv").write_bytes(grub.environment(grub.FIRST))
        places = ("EFI/BOOT/BOOTX64.EFI", "grub/grub.cfg", "grub/grubenv")
        files = {place: written / place.rsplit("/", 1)[-1] for place in places}
    else:
        (written / "config.txt").write_text(raspberry.CONFIG, encoding="utf-8")
        (written / "cmdline.txt").write_text(raspberry.command_line(recipe.command_line), encoding="utf-8")
        files = {name: written / name for name in ("config.txt", "cmdline.txt")} | dict(
            raspberry.boot_files(job.root)
        )
    filesystems.make_fat(target, size, layout.fixed_uuid(recipe.board, "esp").hex[:8], files, job.epoch_s)
