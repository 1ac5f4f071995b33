"""Commands from the command line to the unit and back: real broker, region and agent, and kill -9 between them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from agent.fault_points import KILL_VARIABLE, LOG_VARIABLE
from provisioning.commands import CommandLine, Commands
from provisioning.database import Database
from tests.system.room_page import RoomPage
from tests.system.stack import Stack

pytestmark = pytest.mark.end_to_end

WITHIN_S = 90.0
KILLED_AT = ("written-accepted", "written-running", "ended", "told")
"""As many as the starter bears in a minute; `make torture` is the long loop."""


class System:
    """One running system: its commands as IT sends them, and its touchscreen."""

    def __init__(self, stack: Stack, counted: Path, kill: Path) -> None:
        self.stack = stack
        self.unit = stack.system["unit"]
        self.page = RoomPage(stack)
        self.commands = Commands(Database(f"sqlite:///{stack.state / 'region' / 'region.db'}"), _now)
        self._counted = counted
        self._kill = kill

    def send(self, name: str, **arguments: str) -> str:
        within = timedelta(minutes=10)
        return self.commands.send(self.unit, name, arguments, by="test", expires_in=within)

    def line(
        self, sent: str, holds: Callable[[CommandLine], bool] = lambda line: line.is_over
    ) -> CommandLine:
        until_s = time.monotonic() + WITHIN_S
        while not holds(line := self.commands.line(sent)):
            assert time.monotonic() < until_s, f"{line}\n{self.stack.log('unit')[-3000:]}"
            time.sleep(0.1)
        return line

    def run(self, name: str, **arguments: str) -> CommandLine:
        return self.line(self.send(name, **arguments))

    def begun(self) -> Counter[str]:
        """How often each command was really begun, counted outside of the agent."""
        lines = self._counted.read_text().splitlines() if self._counted.exists() else []
        return Counter(line.split()[1] for line in lines if line.startswith("running "))

    def kill_at(self, place: str, send: Callable[[], str]) -> str:
        """kill -9 of the unit at a place of what is sent; returns when it was done and the unit is back."""
        self._kill.write_text(place)
        sent, until_s = send(), time.monotonic() + WITHIN_S
        while self._kill.exists():
            assert time.monotonic() < until_s, f"{place} was not reached"
            time.sleep(0.05)
        self.page.until(lambda screen: screen["region_up"] or screen["halted"])
        return sent

    def cli(self, *arguments: str, code: int = 0) -> Any:
        settings = str(self.stack.state / "region" / "region.toml")
        program = [sys.executable, "-m", "provisioning.cli", "--settings", settings, "--json", *arguments]
        done = subprocess.run(program, capture_output=True, text=True, timeout=150, check=False)
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)


def _now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("commanded")
    os.environ |= {LOG_VARIABLE: str(folder / "begun.log"), KILL_VARIABLE: str(folder / "kill-at")}
    try:
        with Stack(folder / "state") as stack:
            system = System(stack, folder / "begun.log", folder / "kill-at")
            system.page.until(lambda screen: screen["ready"] and screen["region_up"])
            yield system
            print(f"--- region\n{stack.log('region')[-4000:]}\n--- unit\n{stack.log('unit')[-8000:]}")
    finally:
        del os.environ[LOG_VARIABLE], os.environ[KILL_VARIABLE]


def test_a_selftest_is_sent_and_waited_for_on_the_command_line(system: System) -> None:
    done = system.cli("command", "send", system.unit, "selftest", "--wait")
    assert (done["state"], done["name"]) == ("succeeded", "selftest")
    assert done["result"]
    assert system.cli("command", "list")[0]["id"] == done["id"]
    assert system.begun()[done["id"]] == 1


def test_what_a_unit_does_not_do_it_rejects_in_words(system: System) -> None:
    with system.commands._database.write() as db:
        from provisioning.fleet_models import CommandRow
        from provisioning.models import OutboxRow

        now = _now()
        db.add(
            CommandRow(
                id="c-dance",
                unit_id=system.unit,
                name="dance",
                made_at=now,
                expires_at=now + timedelta(minutes=5),
                changed_at=now,
            )
        )
        db.add(OutboxRow(unit_id=system.unit, what="command"))
    line = system.line("c-dance")
    assert (line.state, line.reason) == ("rejected", "name: is no command this version knows")


def test_a_message_is_shown_until_it_is_taken_away(system: System) -> None:
    assert system.run("show-message", text="Hissen är avstängd.", minutes="5").state == "succeeded"
    system.page.until(lambda screen: screen["message"] == "Hissen är avstängd.")
    assert system.run("show-message", text="").state == "succeeded"
    system.page.until(lambda screen: not screen["message"])


def test_a_unit_is_found_by_a_touch(system: System) -> None:
    sent = system.send("locate", seconds="120")
    system.page.until(lambda screen: screen["locating"])
    assert system.page.touch("locate_found")["ok"]
    line = system.line(sent)
    assert (line.state, line.result) == ("succeeded", {"ended": "touched"})
    assert not system.page.screen()["locating"]


def test_time_servers_reach_the_drop_in_by_the_helper(system: System, tmp_path: Path) -> None:
    sent = system.send("set-clock-source", source="ntp", servers="ntp1.example ntp2.example")
    with helper(system, tmp_path):
        line = system.line(sent)
    # Below another root no systemd runs whose timesyncd could read it, which the command says.
    drop_in = tmp_path / "run/systemd/timesyncd.conf.d/60-halsorum.conf"
    assert "NTP=ntp1.example ntp2.example" in drop_in.read_text()
    assert (line.state, "systemd does not run" in line.reason) == ("failed", True)


def test_a_machine_that_cannot_restart_says_why(system: System, tmp_path: Path) -> None:
    sent = system.send("restart", what="machine")
    with helper(system, tmp_path):
        line = system.line(sent)
    assert (line.state, line.reason) == ("failed", "systemd does not run on this machine")


@contextmanager
def helper(system: System, root: Path) -> Iterator[None]:
    """What systemd's path unit would start, again and again."""
    requests = system.stack.state / "unit" / "state" / "helper"
    code = (
        "import time, pathlib, sys\nfrom firmware.helper import main\n"
        "asked, root = sys.argv[1:]\n"
        "while True:\n"
        "    pathlib.Path(asked).is_dir() and main(['--requests', asked, '--root', root])\n"
        "    time.sleep(0.1)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(requests), str(root)])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def test_a_restart_succeeds_by_the_new_start(system: System) -> None:
    before = boots(system)
    line = system.run("restart")
    assert line.state == "succeeded"
    assert system.begun()[line.id] == 1
    assert boots(system) == before + 1
    system.page.until(lambda screen: screen["region_up"] and screen["ready"])


def boots(system: System) -> int:
    from provisioning.models import UnitReport

    with system.commands._database.read() as db:
        return db.get_one(UnitReport, system.unit).boot


def test_in_a_session_what_would_disturb_waits_and_is_done_afterwards(system: System) -> None:
    start = (_now() + timedelta(minutes=5)).isoformat()
    room = system.stack.system["room"]
    system.cli("book", room, start, "--minutes", "20", "--method", "button")
    ready = system.page.until(lambda screen: screen["can_check_in"])
    assert system.page.touch("checkin_button", sid=ready["can_check_in"][0]["sid"])["ok"]
    system.page.until(lambda screen: screen["page"] == "waiting")
    waits = [system.send("restart"), system.send("locate"), system.send("selftest")]
    for sent in waits:
        line = system.line(sent, lambda line: bool(line.reason))
        assert (line.state, line.reason) == ("accepted", "someone is in the room")
    assert system.run("show-message", text="Hej", minutes="1").state == "succeeded"
    assert system.page.screen()["message"] == ""
    taken_back = system.send("selftest")
    system.line(taken_back, lambda line: line.state == "accepted")
    system.commands.cancel(taken_back, "test")
    assert system.line(taken_back).state == "canceled"
    system.stack.kill_and_wait("broker")  # which may lose what it was to keep
    system.page.until(lambda screen: screen["region_up"])
    assert system.page.screen()["page"] == "waiting"
    assert system.page.touch("leave")["ok"]
    assert system.line(waits[0]).state == "succeeded"
    system.page.until(lambda screen: screen["locating"])
    system.page.touch("locate_found")
    assert [system.line(sent).state for sent in waits[1:]] == ["succeeded", "succeeded"]
    assert [system.begun()[sent] for sent in (*waits, taken_back)] == [1, 1, 1, 0]


@pytest.mark.long
def test_killed_at_each_step_of_a_command_a_unit_does_none_twice(system: System) -> None:
    ends = {}
    for place in KILLED_AT:
        sent = system.kill_at(place, lambda: system.send("show-message", text="Hej", minutes="5"))
        ends[place] = system.line(sent).state
        assert system.begun()[sent] <= 1
    # What had not begun was done by the next start; what had is not done again, however far it had come.
    assert ends == {
        "written-accepted": "succeeded",
        "written-running": "failed",
        "ended": "failed",
        "told": "succeeded",
    }
    assert max(system.begun().values()) == 1


@pytest.mark.long
def test_of_ten_thousand_at_once_a_few_are_taken_and_the_unit_goes_on(system: System) -> None:
    from provisioning.fleet_models import CommandRow
    from provisioning.models import OutboxRow

    memory_kib = memory_of(system)
    now = _now()
    with system.commands._database.write() as db:
        for number in range(10_000):
            db.add(
                CommandRow(
                    id=f"flood-{number:05}",
                    unit_id=system.unit,
                    name="show-message",
                    arguments={"text": str(number), "minutes": "5"},
                    made_at=now,
                    expires_at=now + timedelta(minutes=30),
                    changed_at=now,
                )
            )
        db.add(OutboxRow(unit_id=system.unit, what="command"))
    states: Counter[str] = Counter()
    until_s = time.monotonic() + 400
    while sum(states[state] for state in ("succeeded", "rejected")) < 10_000:
        assert time.monotonic() < until_s, states
        time.sleep(1)
        with system.commands._database.read() as db:
            rows = db.execute(select(CommandRow.state, func.count()).group_by(CommandRow.state)).tuples()
            states = Counter(dict(rows.all()))
    flooded = {name: count for name, count in system.begun().items() if name.startswith("flood-")}
    assert set(flooded.values()) == {1}
    assert len(flooded) < 200
    assert memory_of(system) - memory_kib < 100_000
    assert system.page.screen()["region_up"]


def memory_of(system: System) -> int:
    """Of the unit's process, KiB."""
    status = Path(f"/proc/{system.stack.system['pids']['unit']}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def test_a_wipe_leaves_neither_data_nor_keys_and_says_so_first(system: System) -> None:
    unit = system.stack.state / "unit"
    assert list(unit.rglob("key.pem"))
    sent = system.kill_at("wipe-data-gone", lambda: system.send("wipe", bootstrap="remove"))
    line = system.line(sent)
    assert line.state == "succeeded"
    assert line.result["data"] == "gone"
    system.page.until(lambda screen: screen["halted"] == "wiped")
    left = {file.name for file in (unit / "state").rglob("*") if file.is_file()}
    assert left == {"wiped.json", "browser-secret"}
    assert not list(unit.rglob("key.pem"))
    assert system.begun()[sent] == 1
