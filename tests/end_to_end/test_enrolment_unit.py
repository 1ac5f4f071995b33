"""The real agent's way in: killed at every step of it, let in, revoked and taken back, all by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.local_files import write_toml
from tests.system.door import Box, Door, until
from tests.system.stack import free_port

pytestmark = pytest.mark.end_to_end

STARTS_WITHIN_S = 90
BACK_WITHIN_S = 90
"""Its attempts are up to a minute apart while it is denied."""


class Agent:
    """The agent's process with its log."""

    def __init__(self, box: Box) -> None:
        self.folder = box.folder
        values = {
            "state_dir": str(box.folder / "state"),
            "identity_dir": str(box.folder),
            "web_port": free_port(),
            "loopback_media": True,
        }
        self.settings = write_toml(box.folder / "unit.toml", values)
        self.log = box.folder / "agent.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        self.log.write_text("")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "agent", "--config", str(self.settings)],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def reaches(self, words: str) -> None:
        """Wait until it says so."""
        until(lambda: words in self.log.read_text(), f"agent: {words}", STARTS_WITHIN_S)

    def kill(self) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with Door(tmp_path) as made:
        yield made


@pytest.mark.long
def test_killed_at_every_step_it_comes_in_and_a_revocation_is_taken_back(door: Door) -> None:
    box = Box(door, "hs-k1")
    agent = Agent(box)
    try:
        agent.reaches("enrolment: asking")
        agent.kill()
        agent.start()
        agent.reaches("enrolment: waiting")
        (first,) = door.waiting("hs-k1")
        agent.kill()
        agent.start()
        agent.reaches("enrolment: waiting")
        (row,) = door.waiting("hs-k1")
        assert (row["id"], row["words"]) == (first["id"], first["words"])  # the key was kept

        began = time.monotonic()
        door.run("enrol", "approve", str(row["id"]), "--unit", "unit-k1")
        agent.reaches("enrolment: proving")
        agent.kill()
        agent.start()
        until(lambda: door.unit("unit-k1").get("state") == "ready", "the unit works", STARTS_WITHIN_S)
        print(f"from approval, with a kill -9 between, to ready: {time.monotonic() - began:.1f} s")
        assert door.bootstrap("hs-k1") == "used"
        agent.kill()
        agent.start()
        agent.reaches("ready: unit unit-k1")

        door.run("unit", "revoke", "unit-k1", "--reason", "test")
        agent.reaches("its rules let us say nothing")  # at the next figures, each minute
        assert door.unit("unit-k1")["state"] == "revoked"
        door.run("unit", "unrevoke", "unit-k1")
        until(lambda: door.unit("unit-k1")["state"] == "ready", "the unit is back", BACK_WITHIN_S)
    finally:
        agent.kill()
        print(agent.log.read_text()[-3000:])
        print(door.log()[-2000:])
