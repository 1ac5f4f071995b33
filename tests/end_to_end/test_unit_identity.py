"""The real agent with the real broker and region: its way in, its renewal, and its way back after an absence."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.identity_store import IdentityStore
from tests.system.door import Door, until
from tests.system.stack import free_port

pytestmark = pytest.mark.end_to_end
SERIAL, UNIT = "hr-000417", "unit-7"


class Box:
    """A box as it comes, prepared at this region."""

    def __init__(self, door: Door, folder: Path) -> None:
        self.door, self.folder, self.store = door, folder, IdentityStore(folder / "identity")
        request = self.store.prepare(SERIAL)
        door.run("bootstrap", "sign", str(request), "--out", str(request.parent))
        (folder / "unit.toml").write_text(
            f'state_dir = "state"\nidentity_dir = "identity"\nweb_port = {free_port()}\n'
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "agent", "--config", str(self.folder / "unit.toml")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(20)

    def certificate(self) -> str:
        held = self.store.current()
        return held.identity.certificate_sha256 if held is not None else ""

    def is_let_in(self) -> None:
        waiting = until(
            lambda: [row for row in self.door.waiting(SERIAL) if row["state"] == "waiting"],
            "the box at the door",
            90,
        )
        self.door.run("enrol", "approve", str(waiting[0]["id"]), "--unit", UNIT)

    def is_ready(self) -> None:
        until(lambda: self.door.unit(UNIT).get("state") == "ready", "the unit's work", 60)


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "unit").mkdir()
    return tmp_path


def box_in(door: Door, folder: Path) -> Iterator[Box]:
    box = Box(door, folder / "unit")
    box.start()
    try:
        yield box
    finally:
        box.stop()


@pytest.mark.long
def test_a_prepared_box_is_let_in_and_works_under_the_name_that_it_was_given(folder):
    with Door(folder) as door:
        for box in box_in(door, folder):
            box.is_let_in()
            began = time.monotonic()
            until(box.certificate, "its identity in force")
            assert time.monotonic() - began < 15
            box.is_ready()
            assert box.process.poll() is None  # it began anew in the same process
            assert (door.bootstrap(SERIAL), box.store.new()) == ("used", None)
            issued = box.certificate()
            door.run("command", "send", UNIT, "renew-certificate")
            until(lambda: box.certificate() != issued, "the next certificate in force", 40)
            box.is_ready()


@pytest.mark.long
def test_a_unit_that_was_away_past_its_expiry_comes_back_by_its_bootstrap_and_its_approval(folder):
    life_s = 30
    with Door(folder, {"certificate_days": life_s / 86_400}) as door:
        for box in box_in(door, folder):
            box.is_let_in()
            until(box.certificate, "its identity in force")
            box.stop(signal.SIGKILL)
            expired = box.certificate()
            time.sleep(life_s)
            box.start()
            door.run("unit", "arm", SERIAL)
            box.is_let_in()
            until(lambda: box.certificate() != expired, "another certificate in force", 60)
            box.is_ready()
