"""The disk of a unit: GPT, its partitions, and names that never change (UEFI specification 2.10, chapter 5)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

MIB = 1024 * 1024
SECTOR = 512
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://halsorum.example/image")
_ESP = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
_LINUX = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"


@dataclass(frozen=True, slots=True)
class Partition:
    """One entry of the table; sizes in bytes, whole MiB."""

    label: str
    size: int
    type_guid: str = _LINUX


# A bundle of a root (some 500 MiB) is downloaded to `data` before it is written; a root grows for years.
UEFI = (
    Partition("esp", 64 * MIB, _ESP),
    Partition("root-a", 2560 * MIB),
    Partition("root-b", 2560 * MIB),
    Partition("identity", 32 * MIB),
    Partition("data", 2048 * MIB),
)
# The Raspberry Pi's firmware reads FAT; kernel and initial RAM disk lie there as well.
RASPBERRY = (Partition("esp", 256 * MIB, _ESP), *UEFI[1:])
_FIRST = 1 * MIB
_BEHIND = 1 * MIB
"""For the table's copy at the end."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A partition and where it begins, in bytes."""

    partition: Partition
    start: int
    guid: uuid.UUID


def fixed_uuid(*names: str) -> uuid.UUID:
    """The same for the same names at every build (RFC 9562 section 5.5)."""
    return uuid.uuid5(_NAMESPACE, "/".join(names))


def placed(board: str, partitions: Sequence[Partition]) -> list[Placed]:
    """One behind the other."""
    start, result = _FIRST, []
    for partition in partitions:
        result.append(Placed(partition, start, fixed_uuid(board, "partition", partition.label)))
        start += partition.size
    return result


def disk_size(partitions: Sequence[Partition]) -> int:
    """Bytes of the whole disk."""
    return _FIRST + sum(partition.size for partition in partitions) + _BEHIND


def sfdisk_script(board: str, partitions: Sequence[Partition]) -> str:
    """What sfdisk(8) is told."""
    lines = [
        "label: gpt",
        f"label-id: {fixed_uuid(board, 'disk')}",
        f"first-lba: {_FIRST // SECTOR}",
        "unit: sectors",
        "",
    ]
    lines += [
        f"start={each.start // SECTOR}, size={each.partition.size // SECTOR}, type={each.partition.type_guid}, "
        f'uuid={each.guid}, name="{each.partition.label}"'
        for each in placed(board, partitions)
    ]
    return "\n".join(lines) + "\n"
