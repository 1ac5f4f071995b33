"""Partitions put together to a disk; holes stay holes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from firmware.image.layout import Partition, disk_size, placed, sfdisk_script

_BLOCK = 1024 * 1024


def write_disk(
    target: Path, board: str, partitions: Sequence[Partition], content: Mapping[str, Path]
) -> None:
    """A raw disk image; what has no content in `content` (by label) stays empty. ValueError if too large."""
    with target.open("wb") as disk:
        disk.truncate(disk_size(partitions))
    subprocess.run(
        ["sfdisk", "-q", str(target)], input=sfdisk_script(board, partitions), text=True, check=True
    )
    with target.open("r+b") as disk:
        for each in placed(board, partitions):
            source = content.get(each.partition.label)
            if source is None:
                continue
            if source.stat().st_size > each.partition.size:
                raise ValueError(
                    f"{source.name} ({source.stat().st_size} bytes) is larger than {each.partition.label}"
                )
            _copy_sparse(source, disk.fileno(), each.start)


def _copy_sparse(source: Path, disk: int, start: int) -> None:
    zeros = bytes(_BLOCK)
    with source.open("rb") as file:
        offset = 0
        while block := file.read(_BLOCK):
            if block != zeros[: len(block)]:
                os.pwrite(disk, block, start + offset)
            offset += len(block)
