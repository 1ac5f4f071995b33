"""Commands at the region: sent, followed, expired, cleared, and never to whom they are not for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from agent.contract import Topic, decode, encode
from agent.contract.commands import CommandReport
from provisioning.command_wire import GRACE, CommandWire
from provisioning.commands import WAITING_AT_MOST, Commands
from provisioning.database import Database
from provisioning.fleet_models import AuditEntry, Revocation, UnitHistory
from tests.provisioning.conftest import Clock, Wire
from web.clinic.services import Refused


@pytest.fixture
def commands(database: Database, clock: Clock) -> Commands:
    return Commands(database, clock)


@pytest.fixture
def worker(database: Database, wire: Wire, clock: Clock) -> CommandWire:
    return CommandWire(database, wire.publish, clock)


def send(commands: Commands, name: str = "selftest", unit: str = "unit-1", **more: Any) -> str:
    return commands.send(unit, name, more.pop("arguments", {}), by="acc-1", **more)


def says(
    worker: CommandWire, clock: Clock, command_id: str, state: str, unit: str = "unit-1", **more: Any
) -> None:
    topic = Topic(unit, "up/cmd", (command_id,))
    report = CommandReport.model_validate({"state": state, **more})
    worker.heard(unit, decode(str(topic), encode(report, now=clock())))


def tick(worker: CommandWire, clock: Clock, seconds: float = 2) -> None:
    clock.pass_by(seconds=seconds)
    worker.tick()


def cleared(wire: Wire) -> set[str]:
    """Which topics were emptied since last asked."""
    found = {str(topic) for topic, message in wire.sent if message is None}
    wire.sent = [(topic, message) for topic, message in wire.sent if message is not None]
    return found


def test_a_command_is_published_followed_and_cleared_when_it_is_over(
    commands: Commands, worker: CommandWire, wire: Wire, clock: Clock, database: Database
) -> None:
    sent = send(commands, expires_in=timedelta(minutes=5), timeout_s=30)
    worker.publish("unit-1")
    worker.tick()
    [message] = wire.take("dn/cmd")
    assert (message.data.name, message.data.timeout_s) == ("selftest", 30)
    assert (message.data.issued_at, message.expires_at) == (clock(), clock() + timedelta(minutes=5))
    for state in ("accepted", "running", "accepted"):  # the last one came late
        says(worker, clock, sent, state)
    assert commands.line(sent).state == "running"
    assert not cleared(wire)
    says(worker, clock, sent, "failed", reason="camera", result={"probe": "camera"})
    line = commands.line(sent)
    assert (line.state, line.reason, line.result, line.is_over) == (
        "failed",
        "camera",
        {"probe": "camera"},
        True,
    )
    both = {f"hr/v1/u/unit-1/{way}/cmd/{sent}" for way in ("dn", "up")}
    assert cleared(wire) == both
    says(worker, clock, sent, "succeeded")  # over is over
    assert commands.line(sent).state == "failed"
    with database.read() as db:
        told = db.scalars(select(UnitHistory).where(UnitHistory.kind == "command"))
        assert [row.fields["state"] for row in told] == ["sent", "failed"]
        [entry] = db.scalars(select(AuditEntry).where(AuditEntry.action == "command_send"))
        assert (entry.by, entry.action, entry.target) == ("acc-1", "command_send", "unit-1")


def test_what_is_not_over_is_published_again_after_every_connect_and_what_is_over_cleared(
    commands: Commands, worker: CommandWire, wire: Wire, clock: Clock
) -> None:
    first, second = send(commands), send(commands, "locate")
    wire.up = False
    worker.publish("unit-1")
    says(worker, clock, first, "succeeded")
    wire.up = True
    worker.connected()
    [message] = wire.take("dn/cmd")[:1]
    assert message.data.name == "locate"
    assert len(cleared(wire)) <= 2
    clock.pass_by(minutes=1)
    worker.connected()  # the broker was killed: what it kept is lost
    assert [m.topic.levels[0] for m in wire.take("dn/cmd") if m is not None] == [second]
    tick(worker, clock)
    assert [m for m in wire.take("dn/cmd") if m is not None] == []


def test_a_unit_that_never_answers_has_its_command_expired_and_may_still_tell_the_truth(
    commands: Commands, worker: CommandWire, wire: Wire, clock: Clock
) -> None:
    sent = send(commands, expires_in=timedelta(minutes=1))
    worker.publish("unit-1")
    tick(worker, clock, 60 + GRACE.total_seconds() - 5)
    assert commands.line(sent).state == "sent"
    tick(worker, clock, 10)
    assert commands.line(sent).state == "expired"
    assert f"hr/v1/u/unit-1/dn/cmd/{sent}" in cleared(wire)
    says(worker, clock, sent, "succeeded")  # it had done it, and had no line to say so
    assert commands.line(sent).state == "succeeded"


def test_one_that_runs_is_given_its_time(commands: Commands, worker: CommandWire, clock: Clock) -> None:
    sent = send(commands, expires_in=timedelta(minutes=1), timeout_s=600)
    says(worker, clock, sent, "running")
    tick(worker, clock, 300)
    assert commands.line(sent).state == "running"
    tick(worker, clock, 400)
    assert commands.line(sent).state == "timed_out"


def test_a_command_is_taken_back(commands: Commands, worker: CommandWire, wire: Wire, clock: Clock) -> None:
    sent = send(commands)
    worker.publish("unit-1")
    commands.cancel(sent, by="acc-2")
    worker.publish("unit-1")
    assert [message.data.cancel for message in wire.take("dn/cmd")] == [False, True]
    says(worker, clock, sent, "canceled")
    with pytest.raises(Refused, match="over already"):
        commands.cancel(sent, by="acc-2")


def test_another_units_word_counts_for_nothing(commands: Commands, worker: CommandWire, clock: Clock) -> None:
    sent = send(commands)
    says(worker, clock, sent, "succeeded", unit="unit-2")
    assert commands.line(sent).state == "sent"


def test_a_report_that_nobody_knows_is_cleared(worker: CommandWire, wire: Wire, clock: Clock) -> None:
    says(worker, clock, "c-of-a-lost-database", "running")
    assert not cleared(wire)
    says(worker, clock, "c-of-a-lost-database", "succeeded")
    assert len(cleared(wire)) == 2


def test_a_revoked_unit_gets_nothing(
    commands: Commands, worker: CommandWire, wire: Wire, clock: Clock, database: Database
) -> None:
    sent = send(commands)
    with database.write() as db:
        db.add(Revocation(unit_id="unit-1", at=clock(), by="acc-1", reason="stolen"))
    tick(worker, clock)
    assert commands.line(sent).state == "canceled"
    assert [message for message in wire.take("dn/cmd") if message is not None] == []
    with pytest.raises(Refused, match="revoked"):
        send(commands)


@pytest.mark.parametrize(
    ("name", "arguments", "more", "words"),
    [
        ("dance", {}, {}, "name: is one of restart"),
        ("locate", {"seconds": "4"}, {}, "seconds"),
        ("selftest", {}, {"expires_in": timedelta(days=31)}, "expires"),
        ("selftest", {}, {"timeout_s": 1}, "timeout"),
        ("selftest", {}, {"unit": "unit-9"}, "unit: is not known"),
        ("show-message", {"text": "19121212-1212", "minutes": "5"}, {}, "personnummer"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_words(
    commands: Commands, name: str, arguments: dict[str, str], more: dict[str, Any], words: str
) -> None:
    with pytest.raises(Refused, match=words):
        send(commands, name, arguments=arguments, **more)
    assert commands.lines() == []


def test_a_unit_has_only_so_many_waiting(commands: Commands) -> None:
    for _ in range(WAITING_AT_MOST):
        send(commands)
    with pytest.raises(Refused, match="commands waiting"):
        send(commands)
    assert len(commands.lines("unit-1")) == WAITING_AT_MOST
    assert commands.lines("unit-2") == []


def test_a_place_for_diagnostics_is_made_and_not_told_in_the_audit(database: Database, clock: Clock) -> None:
    commands = Commands(database, clock, lambda unit, command: f"https://region.example/d/{unit}/{command}")
    sent = send(commands, "collect-diagnostics")
    assert commands.line(sent).arguments["url"] == f"https://region.example/d/unit-1/{sent}"
    with database.read() as db:
        [entry] = db.scalars(select(AuditEntry).where(AuditEntry.action == "command_send"))
        assert "url" not in entry.fields
