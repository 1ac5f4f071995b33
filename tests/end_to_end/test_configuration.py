"""Configurations from the region's database to the unit and back: real broker, real region, real agent."""

from __future__ import annotations

import json
import secrets
import sqlite3
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.system.network import why_not
from tests.system.region_hand import PATIENCE_S, UNIT, RegionHand, Report, with_settings
from tests.system.stack import Stack, free_port
from tests.system.visit import appointment, book, post, until, wait_until_ready

pytestmark = pytest.mark.end_to_end
TRIAL_S = 15
"""On a busy machine a new connection and the region's answer take some seconds of it."""


class Hand:
    """A patient's hand at the touchscreen, without a browser."""

    def __init__(self, stack: Stack) -> None:
        self._base = f"http://localhost:{stack.ports['screen']}"
        secret = (stack.state / "unit" / "state" / "run" / "browser-secret").read_text().split(" ")[1]
        self._cookie = f"room_{stack.ports['screen']}={secret.strip()}"

    def screen(self) -> dict[str, Any]:
        return self._ask("/api/screen")

    def touch(self, kind: str, **more: str) -> dict[str, Any]:
        return self._ask("/api/touch", {"kind": kind, **more})

    def css(self) -> str:
        return self._open("/screen.css").decode()

    def _ask(self, path: str, body: Any = None) -> dict[str, Any]:
        return json.loads(self._open(path, body))  # type: ignore[no-any-return]

    def _open(self, path: str, body: Any = None) -> bytes:
        headers = {"Cookie": self._cookie, "Origin": self._base, "Content-Type": "application/json"}
        data = json.dumps(body).encode() if body is not None else None
        with urllib.request.urlopen(
            urllib.request.Request(self._base + path, data, headers), timeout=10
        ) as answer:
            return answer.read()  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegionHand]:
    stack = Stack(tmp_path_factory.mktemp("configuration"))
    try:
        with stack:
            yield with_settings(stack, trial_s=TRIAL_S)
    finally:
        print(stack.log("unit")[-6000:])


@contextmanager
def in_a_session(stack: Stack) -> Iterator[Hand]:
    """Someone has checked in and waits; afterwards the session is cancelled."""
    names = {"identifier": [{"system": "urn:test:tidbok", "value": secrets.token_hex(8)}]}
    booking, hand = book(stack, after_min=1, **names), Hand(stack)
    until(lambda: hand.touch("checkin_code", text=booking.code)["ok"], "checked in")
    until(lambda: hand.screen()["page"] == "waiting", "waiting")
    try:
        yield hand
    finally:
        post(stack, {**appointment(stack.system["room"], booking.start, 30, **names), "status": "cancelled"})


def test_what_disturbs_nobody_is_in_force_in_a_session_and_the_rest_after_it(region: RegionHand) -> None:
    with in_a_session(region.stack) as hand:
        rev = region.set(phone="010-1", screen={"width_mm": 210, "height_mm": 131}, media_ports="40000-40099")
        region.expect("deferred", rev)
        assert hand.screen()["phone"] == "010-1"
        assert hand.screen()["page"] == "waiting"
        before = hand.css()
        region.stack.kill_and_wait("unit")
        region.expect("deferred", rev)
        assert hand.css() == before
    region.expect("applied", rev)
    assert hand.css() != before
    assert region.ledger()["values"]["media_ports"] == "40000-40099"


@pytest.mark.long
def test_a_dead_broker_address_is_left_again_and_not_tried_by_itself(region: RegionHand) -> None:
    before = region.report().rev
    rev = region.set(broker={"host": "localhost", "port": free_port()})
    report = region.expect("rolled_back", rev)
    assert (report.rev, "was not reached within" in report.errors[0]) == (before, True)
    rev = region.set(phone="010-2")
    region.expect("rolled_back", rev)
    region.stack.kill_and_wait("unit")
    assert Hand(region.stack).screen()["phone"] == "010-2"
    wait_until_ready(region.stack)
    region.expect("rolled_back", rev)
    rev = region.set(broker=None)
    region.expect("applied", rev)


def test_another_address_of_the_same_broker_is_kept_over_a_kill(region: RegionHand) -> None:
    rev = region.set(broker={"host": "127.0.0.1", "port": region.stack.ports["broker"]})
    assert region.expect("applied", rev).rev == rev
    region.stack.kill_and_wait("unit")
    assert region.ledger()["values"]["broker"]["host"] == "127.0.0.1"
    wait_until_ready(region.stack)
    region.expect("applied", region.set(broker=None))


def test_a_strangers_authority_breaks_nothing_and_a_dead_proxy_is_left(
    region: RegionHand, tmp_path: Path
) -> None:
    from provisioning.pki import Authority

    pem = Authority(tmp_path / "pki").client("x").ca_file.read_text()
    region.expect("applied", region.set(region_ca=pem))
    rev = region.set(network={"proxy": f"http://127.0.0.1:{free_port()}"})
    report = region.expect("rolled_back", rev)
    assert "was not reached" in report.errors[0]
    region.expect("applied", region.set(network=None, region_ca=None))


def test_a_camera_that_is_not_there_is_rolled_back_by_the_self_test(region: RegionHand) -> None:
    rev = region.set(devices={"camera": "/dev/video63"})
    report = region.expect("rolled_back", rev)
    assert "the self-test" in report.errors[0]  # failed, or on a busy machine not over in so short a trial
    region.expect("applied", region.set(devices=None))
    wait_until_ready(region.stack)


def test_a_kill_in_a_trial_rolls_back_and_the_unit_is_there(region: RegionHand) -> None:
    rev = region.set(broker={"host": "localhost", "port": free_port()})
    until(lambda: region.ledger()["state"] == "trial", "the trial on disk")
    region.stack.kill_and_wait("unit")
    report = region.expect("rolled_back", rev)
    assert "restarted or lost its power" in report.errors[0]
    region.expect("applied", region.set(broker=None))


def test_a_region_restored_from_a_backup_is_followed_again(region: RegionHand) -> None:
    with closing(sqlite3.connect(region.file, timeout=10)) as db:
        [kept] = db.execute("SELECT config_rev FROM units WHERE id = ?", (UNIT,)).fetchone()
    region.expect("applied", region.set(phone="010-3"))
    region.expect("applied", region.set(phone="010-4"))
    with closing(sqlite3.connect(region.file, timeout=10)) as db, db:
        db.execute("DELETE FROM config_revisions WHERE unit_id = ? AND rev > ?", (UNIT, kept))
        db.execute("UPDATE units SET config_rev = ? WHERE id = ?", (kept, UNIT))
    region.stack.kill_and_wait("unit")  # which says what it has
    region.set(phone="010-5")
    until(lambda: Hand(region.stack).screen()["phone"] == "010-5", "what the region says now", PATIENCE_S)
    assert region.ledger()["epoch"] > 1


@pytest.mark.skipif(bool(why_not()), reason="a small disk is mounted by root")
@pytest.mark.long
def test_a_disk_that_is_full_takes_nothing_and_costs_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "system" / "unit" / "state"
    disk.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(disk)], check=True)
    try:
        with Stack(tmp_path / "system") as stack:
            region = with_settings(stack, trial_s=TRIAL_S)
            with full(disk):
                rev = region.set(phone="010-7")
                report = wait_for_error(region, rev)
                assert "disk is full" in report.errors[0]
                assert Hand(stack).screen()["phone"] != "010-7"
            region.expect("applied", rev)
            assert Hand(stack).screen()["phone"] == "010-7"
            rev = region.set(broker={"host": "localhost", "port": free_port()})
            until(lambda: region.ledger()["state"] == "trial", "the trial on disk")
            with full(disk):
                region.expect("rolled_back", rev)
            until(lambda: region.ledger()["state"] == "rolled_back", "rolled back on disk")
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def wait_for_error(region: RegionHand, rev: int) -> Report:
    until(lambda: region.report().wanted_rev == rev and region.report().errors, "said so")
    return region.report()


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """Not a byte is left."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as opened:
        for size in (65536, 4096, 512, 1):
            try:
                while True:
                    opened.write(b"x" * size)
            except OSError:
                continue
    try:
        yield
    finally:
        filler.unlink()
