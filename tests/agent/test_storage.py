"""A disk that fails stops no visit: the store is done without, the reserve is given back, and it is said."""

from __future__ import annotations

import os
import sqlite3
import subprocess

import pytest

from agent.contract.status import Storage
from agent.storage import (
    GIVE_UP_AFTER_S,
    HAS_STOPPED,
    LOOK_EVERY_S,
    RESERVE_BYTES,
    Opened,
    Reserve,
    StorageWatch,
    error_count,
    open_or_do_without,
)
from agent.store import Store
from agent.store_of_unit import open_store
from firmware.data_state import Report, to_json


class House:
    """A watch over a folder, with a clock of its own, and what it said and did."""

    def __init__(self, folder, report=None, opened=None):
        self.folder, self.said, self.begun, self.busy, self.now_s = folder, [], [], "", 0.0
        self.store = Store(folder / "unit.db")
        file = folder / "state.json"
        if report is not None:
            file.write_text(to_json(report))
        self.watch = StorageWatch(
            opened or Opened(self.store, 1),
            folder,
            on_change=self.said.append,
            begin_elsewhere=lambda: self.begun.append(self.now_s),
            busy=lambda: self.busy,
            monotonic_s=lambda: self.now_s,
            report_file=file,
        )

    def pass_s(self, seconds):
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            self.now_s += 1.0
            self.watch.tick()

    @property
    def has_reserve(self):
        return (self.folder / "reserve").exists()


def statvfs(free, *, read_only=False, total=1 << 30):
    class Said:
        f_bavail, f_frsize, f_blocks, f_flag = (
            free // 4096,
            4096,
            total // 4096,
            os.ST_RDONLY if read_only else 0,
        )

    return lambda _folder: Said


@pytest.mark.parametrize("state", ["missing", "garbage", "read_only"])
def test_what_boot_found_is_said_and_no_reserve_is_kept_in_memory(tmp_path, state):
    house = House(tmp_path, Report(state, "because"))
    house.pass_s(30)
    assert (house.watch.now.state, house.watch.now.reason) == (state, "because")
    assert house.watch.is_in_memory
    assert not house.has_reserve


def test_what_was_mended_is_said_and_is_well(tmp_path):
    house = House(tmp_path, Report("repaired", "an inode"))
    house.pass_s(11)
    assert house.watch.now.state == "repaired"
    assert not house.watch.is_in_memory
    assert (tmp_path / "reserve").stat().st_size == RESERVE_BYTES


def test_without_a_report_the_folder_speaks_for_itself(tmp_path, monkeypatch):
    house = House(tmp_path)
    house.pass_s(LOOK_EVERY_S + 1)
    assert house.watch.now.state == "ok"
    assert house.watch.now.free_bytes > 0
    for said, state in (
        (statvfs(9 << 20), "full"),
        (statvfs(1 << 29, read_only=True), "read_only"),
        (statvfs(1 << 29), "ok"),
    ):
        monkeypatch.setattr("agent.storage.os.statvfs", said)
        house.pass_s(LOOK_EVERY_S)
        assert house.watch.now.state == state
    assert [now.state for now in house.said] == ["full", "read_only", "ok"]


def test_a_full_disk_gets_the_reserve_and_the_unit_goes_on(tmp_path):
    house = House(tmp_path)
    house.pass_s(11)
    assert house.has_reserve
    house.store.trouble = "SQLITE_FULL"
    house.pass_s(1)
    assert not house.has_reserve
    house.store.put("what waited", b"goes to disk")
    assert house.store.trouble == ""
    assert not house.begun


def test_a_disk_that_takes_no_writes_is_left_when_nobody_is_in_the_room(tmp_path):
    house = House(tmp_path)
    house.busy = "someone is in the room"
    house.store.trouble = "SQLITE_IOERR_WRITE"
    house.pass_s(GIVE_UP_AFTER_S + 30)
    assert house.watch.now.state == "read_only"
    assert not house.begun
    house.busy = ""
    house.pass_s(LOOK_EVERY_S)
    assert len(house.begun) == 1


def test_a_disk_that_turned_read_only_is_left_though_nothing_was_to_be_written(tmp_path, monkeypatch):
    house = House(tmp_path)
    monkeypatch.setattr("agent.storage.os.statvfs", statvfs(1 << 29, read_only=True))
    house.pass_s(GIVE_UP_AFTER_S + 2 * LOOK_EVERY_S)
    assert len(house.begun) == 1


def test_a_file_system_that_stops_without_saying_read_only_is_left_too(tmp_path, monkeypatch):
    counts = [3]  # an old error that no check has cleared is none of today's
    monkeypatch.setattr("agent.storage.error_count", lambda _folder: counts[0])
    house = House(tmp_path)
    house.pass_s(2 * LOOK_EVERY_S)
    assert house.watch.now.state == "ok"
    counts[0] = 4
    house.pass_s(GIVE_UP_AFTER_S + 2 * LOOK_EVERY_S)
    assert (house.watch.now.state, house.watch.now.reason) == ("read_only", HAS_STOPPED)
    assert len(house.begun) == 1


def test_the_kernels_count_of_a_file_systems_errors_is_found_by_its_device(tmp_path):
    number = tmp_path.stat().st_dev
    block, kind = tmp_path / "block/vda5", tmp_path / "fs/ext4/vda5"
    for folder in (block, kind, tmp_path / "dev/block"):
        folder.mkdir(parents=True)
    (tmp_path / f"dev/block/{os.major(number)}:{os.minor(number)}").symlink_to(block)
    (kind / "errors_count").write_text("17\n")
    assert error_count(tmp_path, tmp_path) == 17
    assert error_count(tmp_path, tmp_path / "elsewhere") == 0


def test_a_moments_trouble_is_no_reason_to_leave(tmp_path):
    house = House(tmp_path)
    for _ in range(5):
        house.store.trouble = "SQLITE_READONLY"
        house.pass_s(GIVE_UP_AFTER_S / 2)
        house.store.put("a", b"b")
        house.pass_s(LOOK_EVERY_S)
    assert not house.begun


def test_sqlite_says_itself_what_is_wrong(tmp_path):
    store = Store(tmp_path / "unit.db")
    store.run("PRAGMA max_page_count = 1")
    with pytest.raises(sqlite3.OperationalError), store.transaction():
        store.put("a", bytes(1 << 20))
    assert store.trouble == "SQLITE_FULL"
    assert store.get("a") is None  # a read does not say that writing works again
    assert store.trouble == "SQLITE_FULL"
    store.run("PRAGMA max_page_count = 100000")
    store.put("a", b"b")
    assert store.trouble == ""


def test_a_damaged_store_is_begun_anew_and_said(tmp_path):
    (tmp_path / "unit.db").write_bytes(b"no database" * 999)
    opened = open_or_do_without(tmp_path / "unit.db", lambda path: open_store(path, "unit-1"))
    watch = House(tmp_path, opened=opened).watch
    assert (watch.now.state, opened.boot, opened.fault) == ("repaired", 1, None)


def test_each_start_is_counted(tmp_path):
    for boot in (1, 2):
        opened = open_or_do_without(tmp_path / "unit.db", lambda path: open_store(path, "unit-1"))
        assert opened.boot == boot
        opened.store.close()


def test_a_store_that_cannot_be_opened_is_done_without(tmp_path):
    (tmp_path / "unit.db").mkdir()
    opened = open_or_do_without(tmp_path / "unit.db", lambda path: open_store(path, "unit-1"))
    opened.store.put_session("k3v9q2m4", b"{}")
    assert opened.fault.state == "read_only"
    assert (opened.boot, len(opened.store.sessions())) == (1, 1)


@pytest.fixture
def disk(tmp_path):
    """A small file system of its own."""
    if os.geteuid() != 0:
        pytest.skip("mounts a file system, which takes root")
    image, place = tmp_path / "image", tmp_path / "disk"
    image.write_bytes(bytes(12 << 20))
    place.mkdir()
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-m", "0", image], check=True, capture_output=True)
    subprocess.run(["mount", "-o", "loop", image, place], check=True)
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def fill(folder):
    with (folder / "filler").open("wb", buffering=0) as filler:
        for size in (1 << 16, 512, 1):
            try:
                while True:
                    filler.write(b"x" * size)
            except OSError:
                continue


def test_real_on_a_full_disk_the_reserve_lets_the_unit_begin(disk):
    Reserve(disk).lay()
    assert (disk / "reserve").stat().st_blocks * 512 >= RESERVE_BYTES
    fill(disk)
    opened = open_or_do_without(disk / "unit.db", lambda path: open_store(path, "unit-1"))
    assert (opened.fault, opened.boot) == (None, 1)
    assert not (disk / "reserve").exists()
    opened.store.append(1, 1, b"event", b"head")
    opened.store.close()


def test_real_on_a_full_disk_without_a_reserve_it_begins_in_memory(disk):
    fill(disk)
    opened = open_or_do_without(disk / "unit.db", lambda path: open_store(path, "unit-1"))
    assert opened.fault.state == "full"
    opened.store.append(1, 1, b"event", b"head")


def test_real_on_a_read_only_disk_it_begins_in_memory_and_what_is_there_stays(disk):
    first = open_or_do_without(disk / "unit.db", lambda path: open_store(path, "unit-1"))
    first.store.close()
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    opened = open_or_do_without(disk / "unit.db", lambda path: open_store(path, "unit-1"))
    assert opened.fault == Storage(state="read_only", reason="Read-only file system")
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    again = open_or_do_without(disk / "unit.db", lambda path: open_store(path, "unit-1"))
    assert (again.fault, again.boot) == (None, 2)
    again.store.close()
