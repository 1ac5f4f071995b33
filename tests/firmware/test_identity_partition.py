from collections.abc import Sequence
from pathlib import Path

import pytest

from firmware.data_disk import Partition
from firmware.identity_partition import take

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


def test_it_is_checked_and_mounted_written_through(tmp_path: Path) -> None:
    programs = Programs()
    assert take(THERE, tmp_path / "identity", programs) == ""
    check, mount = programs.called
    assert list(check) == ["e2fsck", "-p", "/dev/vda4"]
    assert "sync" in mount[4].split(",")
    assert "rw" in mount[4].split(",")
    assert (tmp_path / "identity").is_dir()


def test_what_a_power_cut_left_is_mended(tmp_path: Path) -> None:
    programs = Programs(e2fsck=[4, 1])
    assert take(THERE, tmp_path, programs) == ""
    assert [command[0] for command in programs.called] == ["e2fsck", "e2fsck", "mount"]


@pytest.mark.parametrize(
    ("partition", "answers", "named"),
    [
        (None, {}, "no partition named identity"),
        (THERE, {"e2fsck": [8]}, "no file system"),
        (THERE, {"mount": [32]}, "said"),
    ],
)
def test_without_it_the_reason_is_said_and_no_file_system_made(
    tmp_path: Path, partition: Partition | None, answers: dict[str, list[int]], named: str
) -> None:
    programs = Programs(**answers)
    assert named in take(partition, tmp_path, programs)
    assert "mke2fs" not in {command[0] for command in programs.called}


def test_one_that_takes_no_writes_is_still_read(tmp_path: Path) -> None:
    programs = Programs(e2fsck=[8])
    locked = Partition(Path("/dev/vda4"), Path("/dev/vda"), 4, is_read_only=True)
    assert take(locked, tmp_path, programs) == "/dev/vda4 takes no writes"
    assert "ro" in programs.called[-1][4].split(",")
