"""The fleet, with the real broker and region: the real unit, and units played over MQTT that answer as told."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from queue import Empty
from typing import Any

import pytest

from agent.contract import Message, Topic, encode
from agent.contract.schedule import ScheduleReport
from agent.contract.unit_config import ConfigReport
from provisioning.region import utc_now
from tests.system.door import Door, Voice, until
from tests.system.stack import Stack
from tests.system.visit import command

pytestmark = pytest.mark.end_to_end

LOST_WITHIN_S = 45
UNITS = tuple(f"unit-{number}" for number in range(10))


class PlayedUnit(Voice):
    """Takes every configuration and schedule, but those that it is told to refuse."""

    refuses = False
    rev = 0
    configs: list[Message]
    schedules: list[Message]

    def shall_be(self, field: str, unknown: Any = None) -> Any:
        """What the newest configuration says."""
        return getattr(self.configs[-1].data, field) if self.configs else unknown

    def listen(self) -> None:
        """Answer what has come."""
        while True:
            try:
                message = self.heard.get_nowait()
            except Empty:
                return
            if message is None:
                continue
            if message.topic.channel == "dn/config":
                self._configure(message)
            elif message.topic.channel == "dn/schedule":
                self.schedules.append(message)
                report = ScheduleReport(
                    epoch=message.data.epoch, rev=message.rev or 0, sha256="0" * 64, outcome="accepted"
                )
                self.say("up/schedule", report)

    def _configure(self, message: Message) -> None:
        self.configs.append(message)
        wanted = message.rev or 0
        if self.refuses:
            errors = ("volume: is not for me",)
            report = ConfigReport(applied=False, errors=errors, state="rejected", wanted_rev=wanted)
        else:
            report, self.rev = ConfigReport(applied=True, state="applied"), wanted
        body = encode(report, now=utc_now(), rev=self.rev)
        assert self.link.publish(Topic(self.name, "up/config"), body)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Ten units are known; the first two stand in rooms."""
    with Door(tmp_path_factory.mktemp("fleet")) as made:
        for name in UNITS:
            credentials = made.authority.client(name)
            folder = made.folder / name
            folder.mkdir()
            shutil.copy(credentials.certificate_file, folder / "certificate.pem")
            shutil.copy(credentials.key_file, folder / "key.pem")
            made.run("unit", "add", name, "--certificate", str(folder / "certificate.pem"))
        for room, unit in (("room-0", UNITS[0]), ("room-1", UNITS[1])):
            made.run("room", "add", room, "--clinic", "Norra vårdcentralen")
            made.run("room", "assign", room, unit)
        yield made


@pytest.fixture
def units(door: Door) -> Iterator[dict[str, PlayedUnit]]:
    """All of them, connected and ready."""
    with ExitStack() as open_ones:
        made = {name: played(door, door.folder / name) for name in UNITS}
        for unit in made.values():
            open_ones.enter_context(unit)
            unit.introduce()
        ready(door, made.values(), lambda: len(door.run("unit", "list")) == len(UNITS) and all_ready(door))
        yield made


def played(door: Door, folder: Path) -> PlayedUnit:
    unit = PlayedUnit(door, folder, door.port, will=True)
    unit.configs, unit.schedules = [], []
    return unit


def all_ready(door: Door) -> bool:
    return all(row["state"] == "ready" for row in door.run("unit", "list"))


def ready(door: Door, units: Any, fact: Callable[[], Any], within_s: float = 60) -> None:
    """Let the units answer until something is so."""

    def look() -> Any:
        for unit in units:
            unit.listen()
        return fact()

    until(look, "the fleet", within_s)


def standing(door: Door, names: Sequence[str]) -> set[str]:
    return {row["configuration_is"] for row in door.run("unit", "list") if row["unit"] in names}


def test_a_groups_configuration_reaches_its_units_and_no_other(
    door: Door, units: dict[str, PlayedUnit]
) -> None:
    group, others = UNITS[2:5], UNITS[5:]
    ready(door, units.values(), lambda: standing(door, UNITS) == {"current"})
    before = {name: len(units[name].configs) for name in others}
    door.run("group", "add", "pilot", "--rank", "3")
    door.run("group", "members", "pilot", *(word for name in group for word in ("--add", name)))
    door.run("group", "set", "pilot", "volume=2", "languages=fi,sv")
    ready(
        door,
        units.values(),
        lambda: all(units[name].configs[-1:] and units[name].configs[-1].data.volume == 2 for name in group),
    )
    ready(door, units.values(), lambda: standing(door, UNITS) == {"current"})
    assert {name: len(units[name].configs) for name in others} == before
    assert door.run("unit", "show", group[0])["origins"]["languages"] == "group:pilot"


def test_a_rollout_stops_at_its_threshold(door: Door, units: dict[str, PlayedUnit]) -> None:
    for name in UNITS[3:6]:
        units[name].refuses = True
    started = door.run(
        "rollout", "start", "config", "dscp=12", "--all", "--stages", "2,50%,100%", "--failures", "25%"
    )
    number = str(started["id"])
    ready(door, units.values(), lambda: door.run("rollout", "show", number)["state"] != "running")
    line = door.run("rollout", "show", number)
    assert (line["state"], line["counts"]["failed"]) == ("stopped", 3)
    assert line["counts"]["skipped"] == 3, "the last stage was never begun"
    had = {name for name in UNITS if any(message.data.dscp == 12 for message in units[name].configs)}
    assert had == {unit for unit, _, state, _ in line["units"] if state != "skipped"}
    (entry,) = door.run("audit", "list", "--target", f"rollout:{number}", "--by", "region")
    assert entry["action"] == "rollout_stopped"


def test_a_rollout_outlives_a_killed_region_and_sends_nothing_twice(
    door: Door, units: dict[str, PlayedUnit]
) -> None:
    started = door.run("rollout", "start", "config", "dscp=34", "--all", "--stages", "3,100%")
    number = str(started["id"])
    until(lambda: door.run("rollout", "show", number)["counts"].get("sent"), "the first stage")
    door.stop_region(signal.SIGKILL)
    for unit in units.values():
        unit.listen()
    door.start_region()
    ready(door, units.values(), lambda: door.run("rollout", "show", number)["state"] == "done", 90)
    assert door.run("rollout", "show", number)["counts"] == {"succeeded": len(UNITS)}
    for unit in units.values():
        revs = {message.rev for message in unit.configs if message.data.dscp == 34}
        assert len(revs) == 1, "one revision, however often it was published"


def test_what_the_broker_lost_comes_again(door: Door, units: dict[str, PlayedUnit]) -> None:
    ready(door, units.values(), lambda: standing(door, UNITS) <= {"current", "rejected"})
    ready(door, units.values(), lambda: units[UNITS[9]].configs)
    wanted = units[UNITS[9]].configs[-1]
    door.broker.kill()
    for file in (door.folder / "broker" / "store").iterdir():
        file.unlink()
    heard = len(units[UNITS[9]].configs)
    door.broker.start()
    ready(door, units.values(), lambda: len(units[UNITS[9]].configs) > heard, 90)
    again = units[UNITS[9]].configs[-1]
    assert (again.rev, again.data) == (wanted.rev, wanted.data)


def test_a_swapped_unit_leaves_its_room_and_the_rooms_schedule_to_the_next(
    door: Door, units: dict[str, PlayedUnit]
) -> None:
    door.run("unit", "set", UNITS[0], "phone=08-123 45 67")
    start = utc_now() + timedelta(hours=2)
    booked = door.run("book", "room-0", start.isoformat(), "--minutes", "20")

    def holds(name: str) -> list[str]:
        last = units[name].schedules[-1:]
        return [session["sid"] for message in last for session in message.data.sessions]

    ready(door, units.values(), lambda: holds(UNITS[0]) == [booked["sid"]])
    door.run("room", "swap", "room-0", UNITS[8])
    ready(door, units.values(), lambda: holds(UNITS[8]) == [booked["sid"]] and holds(UNITS[0]) == [])
    ready(door, units.values(), lambda: units[UNITS[8]].shall_be("phone") == "08-123 45 67")
    ready(door, units.values(), lambda: units[UNITS[0]].shall_be("phone", "none yet") is None)
    old = units[UNITS[0]].configs[-1].data
    assert (old.room_name, old.phone, old.staff, old.rooms) == (None, None, (), ())
    ready(door, units.values(), lambda: door.run("sessions", "--day", start.isoformat())[0]["on_unit"])
    kinds = [line["kind"] for line in door.run("unit", "history", UNITS[0])]
    assert "room_out" in kinds


@pytest.mark.long
def test_the_real_unit_takes_what_it_shall_be_and_its_loss_is_shown(stack: Stack) -> None:
    unit = stack.system["unit"]

    def row() -> dict[str, Any]:
        return next(each for each in command(stack, "unit", "list") if each["unit"] == unit)

    until(lambda: row()["health"] == "good", "the unit is well", 60)
    told = command(stack, "unit", "set", unit, "room_name=Rum Rönnen")
    until(lambda: row()["configuration_is"] == "current", "it has taken it", 20)
    assert row()["configuration"] == f"{told['rev']} of {told['rev']}"

    with stack.paused("unit"):
        began = time.monotonic()
        until(lambda: row()["state"] == "lost", "a unit that hangs", LOST_WITHIN_S)
        print(f"shown as lost {time.monotonic() - began:.1f} s after it hung")
    until(lambda: row()["state"] == "ready", "it is back", 60)
    began = time.monotonic()
    stack.kill("unit")
    until(
        lambda: (
            "lost" in [line["fields"].get("state") for line in command(stack, "unit", "history", unit)[:6]]
        ),
        "a unit that died",
        LOST_WITHIN_S,
    )
    print(f"noted as lost {time.monotonic() - began:.1f} s after its death")
    until(lambda: row()["state"] == "ready", "it was started again", 90)
