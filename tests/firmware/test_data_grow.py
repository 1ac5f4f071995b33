"""The partition grows to its disk's end: the table first, then what the kernel knows of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from firmware.data_disk import Partition
from firmware.data_grow import grow

ROOM = Partition(Path("/dev/vda5"), Path("/dev/vda"), 5, start=100, size=100, disk_size=1 << 20)
NO_ROOM = Partition(
    Path("/dev/vda5"), Path("/dev/vda"), 5, start=100, size=1 << 20, disk_size=(1 << 20) + 100
)


class Programs:
    """Notes what is run; `failing` ends with 1."""

    def __init__(self, failing: str = "") -> None:
        self.failing = failing
        self.ran: list[list[str]] = []

    def __call__(self, command: Sequence[str], _within_s: float) -> tuple[int, str]:
        self.ran.append(list(command))
        return int(command[0] == self.failing), f"{command[0]} says so\n"


def test_the_table_first_then_the_kernel() -> None:
    programs = Programs()
    assert grow(ROOM, programs) == ""
    assert [command[0] for command in programs.ran] == ["sh", "partx"]
    assert programs.ran[0][-2:] == ["/dev/vda", "5"]


@pytest.mark.parametrize("partition", [None, NO_ROOM])
def test_nothing_is_touched_where_there_is_no_room(partition: Partition | None) -> None:
    programs = Programs()
    assert grow(partition, programs) == ""
    assert programs.ran == []


def test_the_kernel_is_told_of_no_table_that_was_not_written() -> None:
    programs = Programs(failing="sh")
    assert grow(ROOM, programs) == "sh says so"
    assert len(programs.ran) == 1
