"""The data partition at boot: with programs that only say they were run, and with real file systems where root."""

from __future__ import annotations

import errno
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from firmware.data_disk import Partition, file_system_on
from firmware.data_partition import MAKE_ANEW, DataPartition, write_fault
from firmware.data_state import from_json
from firmware.mount_units import escaped
from firmware.programs import run_program
from tests.firmware.data_tree import machine

SIZE = 16 << 20


def said_by(places):
    return from_json(places.state.read_text())


def unit_of(places, place):
    return (places.units / f"{escaped(place)}.mount").read_text()


class Programs:
    """Says for each program how it ended; what was run is noted."""

    def __init__(self, **exits):
        self.exits, self.ran = exits, []

    def __call__(self, command, within_s):
        self.ran.append(list(map(str, command)))
        exit_code = self.exits.get(" ".join(command[:2]).replace(" -", "_"), self.exits.get(command[0], 0))
        return exit_code, f"{command[0]} says so\n"

    def names(self):
        return [" ".join(command[:2]) if command[0] == "systemctl" else command[0] for command in self.ran]


@pytest.fixture
def places(tmp_path):
    return machine(tmp_path, (2, "root-a", 4096, 1000, False))


@pytest.fixture
def partition(places):
    device = places.dev / "vda5"
    device.write_bytes(bytes(SIZE))
    subprocess.run(
        ["mke2fs", "-q", "-t", "ext4", "-L", "halsorum-data", device], check=True, capture_output=True
    )
    return Partition(device, places.dev / "vda", 5)


def test_a_good_one_is_checked_mounted_and_seen_where_programs_look(places, partition):
    programs = Programs()
    assert DataPartition(places, programs).start(partition).state == "ok"
    assert programs.names() == ["e2fsck", "systemctl start", "systemctl start"]
    assert programs.ran[1][2:] == [f"{escaped(places.data)}.mount"]
    assert f"What={places.run}/device\n" in unit_of(places, places.data)
    assert (places.run / "device").readlink() == partition.device
    bound = places.folders[:2]
    assert programs.ran[2][2:] == [f"{escaped(folder.seen_at)}.mount" for folder in bound]
    for folder in bound:
        assert f"What={places.data / folder.name}\n" in unit_of(places, folder.seen_at)
    assert said_by(places).free_bytes > 0


def test_what_preening_does_not_mend_is_mended_and_said(places, partition):
    report = DataPartition(places, Programs(**{"e2fsck_p": 4, "e2fsck_f": 1})).start(partition)
    assert (report.state, report.reason) == ("repaired", "e2fsck says so")


@pytest.mark.parametrize(
    ("exits", "state"),
    [
        ({"e2fsck_p": 8, "e2fsck_f": 8}, "garbage"),
        ({"systemctl start": 1}, "garbage"),
        ({"e2fsck_p": -1, "e2fsck_f": -1}, "garbage"),
    ],
)
def test_what_cannot_be_used_has_memory_in_its_place(places, partition, exits, state):
    programs = Programs(**exits)
    report = DataPartition(places, programs).start(partition)
    assert (report.state, bool(report.reason)) == (state, True)
    assert "Type=tmpfs" in unit_of(places, places.data)
    assert (places.data / "agent").is_dir()


def test_none_and_one_that_takes_no_writes_are_not_touched(places, partition):
    for gone, state in ((None, "missing"), (replace(partition, is_read_only=True), "read_only")):
        programs = Programs()
        assert DataPartition(places, programs).start(gone).state == state
        assert programs.names() == ["systemctl start", "systemctl start"]
        assert "Type=tmpfs" in unit_of(places, places.data)
        assert said_by(places).state == state


def test_a_disk_that_does_not_read_is_garbage(places, partition):
    report = DataPartition(places, Programs()).start(replace(partition, device=places.dev / "gone"))
    assert report.state == "garbage"
    assert "cannot be read" in report.reason


def test_the_partition_grows_to_the_end_of_a_larger_card(places, partition):
    programs = Programs()
    DataPartition(places, programs).start(replace(partition, start=100, size=100, disk_size=1 << 20))
    assert programs.names()[:4] == ["systemctl start", "e2fsck", "e2fsck", "resize2fs"]
    assert programs.ran[0][-1] == "halsorum-data-grow.service"
    cut = Programs()  # the power went when the partition had grown and its file system had not
    DataPartition(places, cut).start(replace(partition, start=100, size=1 << 20, disk_size=(1 << 20) + 100))
    assert cut.names()[:3] == ["e2fsck", "e2fsck", "resize2fs"]


def test_bundles_and_closed_journals_go_before_it_is_called_full(places, partition, monkeypatch):
    old = places.data / "journal/aa/system@1.journal"
    now, bundle, facts = (
        old.with_name("system.journal"),
        places.data / "update/new.raucb",
        places.data / "agent/unit.db",
    )
    for file in (old, now, bundle, facts):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    free = iter([5, 20 << 20, 20 << 20])
    monkeypatch.setattr("firmware.data_partition.free_bytes", lambda _place: next(free))
    assert DataPartition(places, Programs()).start(partition).state == "ok"
    assert [file.exists() for file in (old, now, bundle, facts)] == [False, True, False, True]


def test_a_full_one_is_used_all_the_same(places, partition, monkeypatch):
    monkeypatch.setattr("firmware.data_partition.free_bytes", lambda _place: 3 << 20)
    programs = Programs()
    report = DataPartition(places, programs).start(partition)
    assert (report.state, report.free_bytes) == ("full", 3 << 20)
    assert "Type=ext4" in unit_of(places, places.data)


def test_before_the_agent_memory_is_laid_over_what_takes_no_writes_any_more(places, monkeypatch):
    seen = places.folders[0].seen_at
    seen.mkdir(parents=True)
    programs = Programs()
    assert DataPartition(places, programs).again().state == "ok"
    assert not programs.ran
    monkeypatch.setattr(
        "firmware.data_partition.write_fault", lambda _place: ("read_only", "Read-only file system")
    )
    assert DataPartition(places, programs).again().state == "read_only"
    # Where the machine sees it, not only the agent's own ExecStartPre=.
    assert programs.ran[0][:4] == ["nsenter", "--mount=/proc/1/ns/mnt", "--", "mount"]
    assert programs.ran[0][-1] == str(seen)
    assert programs.ran[1][:3] == ["systemctl", "--no-block", "try-restart"]
    assert said_by(places).reason == "Read-only file system"


def test_what_keeps_memory_from_it_is_said(places, monkeypatch, capsys):
    monkeypatch.setattr("firmware.data_partition.write_fault", lambda _place: ("read_only", "no writes"))
    assert DataPartition(places, Programs(nsenter=32)).again().state == "read_only"
    assert "no memory in its place: nsenter says so" in capsys.readouterr().err


def test_a_fault_in_writing_is_told_apart(tmp_path, monkeypatch):
    assert write_fault(tmp_path) is None
    assert not list(tmp_path.iterdir())
    for number, state in ((errno.ENOSPC, "full"), (errno.EROFS, "read_only"), (errno.EIO, "read_only")):

        def fail(_descriptor, number=number):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr("firmware.data_partition.os.fsync", fail)
        assert write_fault(tmp_path) == (state, f"{tmp_path}: {os.strerror(number)}")


class OnLoop:
    """Real programs, with systemd played by mount(8) on a loop device; bound folders are left out."""

    def __init__(self, places):
        self.places, self.in_memory = places, False

    def __call__(self, command, within_s):
        if command[0] != "systemctl":
            return run_program(command, within_s)
        if command[2:] != (f"{escaped(self.places.data)}.mount",):
            return 0, ""
        if command[1] == "stop":
            return run_program(("umount", str(self.places.data)), within_s)
        lines = unit_of(self.places, self.places.data).splitlines()
        asked = dict(line.partition("=")[::2] for line in lines)
        self.in_memory = asked["Type"] == "tmpfs"
        if command[1] != "start" or self.in_memory:
            return 0, ""
        options = ("-t", asked["Type"], "-o", f"{asked['Options']},loop")
        return run_program(("mount", *options, asked["What"], asked["Where"]), within_s)


@pytest.fixture
def real(places):
    if os.geteuid() != 0:
        pytest.skip("mounts file systems, which takes root")
    programs = OnLoop(places)
    yield DataPartition(places, programs), programs
    while os.path.ismount(places.data):  # what a failed test has left
        subprocess.run(["umount", places.data], check=True)


def test_real_a_good_file_system_is_mounted_with_the_options(real, places, partition):
    data, programs = real
    assert data.start(partition).state == "ok"
    assert os.path.ismount(places.data)
    mounted = Path("/proc/self/mountinfo").read_text()
    line = next(line for line in mounted.splitlines() if f" {places.data} " in line)
    assert {"noatime", "noexec", "nosuid", "nodev"} <= set(line.split()[5].split(","))
    assert "commit=30" in line
    assert not programs.in_memory


def test_real_garbage_is_not_mounted_and_can_be_made_anew(real, places, partition):
    data, programs = real
    partition.device.write_bytes(os.urandom(SIZE))
    assert data.start(partition).state == "garbage"
    assert programs.in_memory
    assert not os.path.ismount(places.data)
    assert data.make(partition) == ""
    assert file_system_on(partition.device).label == "halsorum-data"
    assert data.start(partition).state == "ok"


def test_real_a_lost_superblock_is_taken_from_its_copy(real, places, partition):
    data, _programs = real
    with partition.device.open("r+b") as device:
        device.write(bytes(4096))
    assert data.start(partition).state == "repaired"
    assert os.path.ismount(places.data)


def test_real_a_full_one_says_so(real, places, partition):
    data, programs = real
    data.start(partition)
    with (places.data / "agent/filler").open("ab") as filler:
        try:
            while True:
                filler.write(bytes(1 << 20))
                filler.flush()
        except OSError as error:
            assert error.errno == errno.ENOSPC
    subprocess.run(["umount", places.data], check=True)
    report = data.start(partition)
    assert report.state == "full"
    assert os.path.ismount(places.data)
    assert not programs.in_memory


def test_real_one_that_is_marked_is_made_anew_before_it_is_mounted(real, places, partition):
    data, _programs = real
    data.start(partition)
    (places.data / "agent/unit.db").write_text("full of it")
    (places.data / MAKE_ANEW).touch()
    subprocess.run(["umount", places.data], check=True)
    assert data.start(partition).state == "repaired"
    assert not (places.data / MAKE_ANEW).exists()
    assert not (places.data / "agent/unit.db").exists()
