from collections.abc import Sequence
from pathlib import Path

import pytest

from firmware.data_disk import Partition
from firmware.identity_partition import take
from firmware.mount_units import escaped

THERE = Partition(Path("/dev/vda4"), Path("/dev/vda"), 4)


class Programs:
    """Answers by the program's name, each once, the last for ever."""

    def __init__(self, **answers: list[int]) -> None:
        self.answers = answers
        self.called: list[Sequence[str]] = []

    def __call__(self, command: Sequence[str], _within_s: float) -> tuple[int, str]:
        self.called.append(command)
        codes = self.answers.get(command[0], [0])
        return codes.pop(0) if len(codes) > 1 else codes[0], "said"


def taken(partition: Partition | None, folder: Path, programs: Programs) -> tuple[str, list[str]]:
    """What came of it, and the options that it was to be mounted with."""
    place = folder / "identity"
    fault = take(partition, place, programs, device=folder / "run/device", units=folder / "units")
    unit = folder / "units" / f"{escaped(place)}.mount"
    lines = unit.read_text().splitlines() if unit.exists() else []
    return fault, next((line[8:].split(",") for line in lines if line.startswith("Options=")), [])


def test_it_is_checked_and_mounted_written_through(tmp_path: Path) -> None:
    programs = Programs()
    fault, options = taken(THERE, tmp_path, programs)
    assert fault == ""
    check, mount = programs.called
    assert list(check) == ["e2fsck", "-p", "/dev/vda4"]
    assert list(mount[:2]) == ["systemctl", "start"]
    assert {"rw", "sync"} <= set(options)
    assert (tmp_path / "run/device").readlink() == Path("/dev/vda4")


def test_what_a_power_cut_left_is_mended(tmp_path: Path) -> None:
    programs = Programs(e2fsck=[4, 1])
    assert taken(THERE, tmp_path, programs)[0] == ""
    assert [command[0] for command in programs.called] == ["e2fsck", "e2fsck", "systemctl"]


@pytest.mark.parametrize(
    ("partition", "answers", "named"),
    [
        (None, {}, "no partition named identity"),
        (THERE, {"e2fsck": [8]}, "no file system"),
        (THERE, {"systemctl": [1]}, "/dev/vda4: not mounted"),
    ],
)
def test_without_it_the_reason_is_said_and_no_file_system_made(
    tmp_path: Path, partition: Partition | None, answers: dict[str, list[int]], named: str
) -> None:
    programs = Programs(**answers)
    assert named in taken(partition, tmp_path, programs)[0]
    assert "mke2fs" not in {command[0] for command in programs.called}


def test_one_that_takes_no_writes_is_still_read(tmp_path: Path) -> None:
    programs = Programs(e2fsck=[8])
    locked = Partition(Path("/dev/vda4"), Path("/dev/vda"), 4, is_read_only=True)
    fault, options = taken(locked, tmp_path, programs)
    assert fault == "/dev/vda4 takes no writes"
    assert "ro" in options
