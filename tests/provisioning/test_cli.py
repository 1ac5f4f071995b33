"""The command line, each command as a person would type it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, text
from typer.main import get_command
from typer.testing import CliRunner

from agent.contract.quality import PageReport, Received
from agent.contract.schedule import token_digest
from provisioning.cli import app, main
from provisioning.database import Database
from provisioning.models import OutboxRow, Unit
from provisioning.people_models import ApiClient
from provisioning.pki import Authority
from provisioning.quality import Quality
from tests.provisioning.conftest import CLINIC

Run = Any
COMMAND = get_command(app)
"""What typer makes of the app's functions; once, since it is the same for every line typed."""


@pytest.fixture
def run(database: Database, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Types a command; all commands of a test share an opened database."""
    monkeypatch.setattr("provisioning.database.Database", lambda url: {"url:": database}[url])
    monkeypatch.setattr("typer.testing._get_command", {app: COMMAND}.__getitem__)

    def type_in(*arguments: str, stdin: str = "", code: int = 0) -> Any:
        done = CliRunner().invoke(app, ["--database", "url:", "--json", *arguments], input=stdin)
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if code == 0 else done.output

    return type_in


def test_a_room_is_booked_moved_cancelled_and_all_of_it_is_in_the_log(run: Run) -> None:
    booked = run("book", "east", "2027-01-11T10:00", "--minutes", "20", "--method", "code")
    assert booked["start"] == "2027-01-11T10:00:00+01:00"
    assert len(booked["code"]) == 6
    assert "is booked" in run("book", "east", "2027-01-11T10:10", code=1)
    run("move", booked["sid"], "2027-01-11T11:00", "--minutes", "20")
    (row,) = run("sessions", "--day", "2027-01-11")
    assert (row["ref"], row["start"], row["on_unit"]) == (booked["ref"], "2027-01-11T11:00:00+01:00", False)
    run("cancel", booked["sid"])
    assert [line["kind"] for line in run("log", "show", booked["sid"])] == ["booked", "moved", "cancelled"]
    assert run("log", "verify")["ok"] is True


def test_a_calls_course_is_told(run: Run, database: Database) -> None:
    sid = run("book", "east", "2027-01-11T10:00")["sid"]
    assert "no quality figures" in run("session", "quality", sid, code=1)
    report = PageReport(age_s=0.0, interval_s=5.0, connected=True, received=Received(frame_rate=25.0))
    quality = Quality(database, lambda: datetime(2027, 1, 11, 9, 5, tzinfo=UTC), kept=timedelta(days=30))
    quality.take_page(sid, "c41f9d2k", "clinician", [report])
    (row,) = run("session", "quality", sid)
    assert (row["source"], row["received"], row["at"]) == (
        "c41f9d2k",
        {"frame_rate": 25.0},
        "2027-01-11T09:05:00Z",
    )
    done = CliRunner().invoke(app, ["--database", "url:", "session", "quality", sid])
    assert done.exit_code == 0, done.output
    assert re.search(r"frames/s .* 25.0", done.stdout)


def test_a_changed_log_fails_the_check_and_is_named(run: Run, database: Database) -> None:
    run("book", "east", "2027-01-11T10:00")
    with database.write() as db:
        db.execute(text("UPDATE meeting_log SET kind = 'moved'"))
    assert '"bad_seq": 1' in run("log", "verify", code=1)


def test_a_unit_and_a_room_are_made_and_listed_with_what_stands_where(run: Run, authority: Authority) -> None:
    run("unit", "add", "unit-3", "--certificate", str(authority.client("unit-3").certificate_file))
    run("room", "add", "north", "--clinic", "Norra", "--name", "Norra rummet")
    run("room", "assign", "north", "unit-3")
    made = {"room": "north", "name": "Norra rummet", "clinic": "Norra", "unit": "unit-3"}
    assert made in run("room", "list")
    assert ("unit-3", "north", "unknown") in {
        (unit["unit"], unit["room"], unit["state"]) for unit in run("unit", "list")
    }
    run("room", "assign", "north", "-")
    assert made | {"unit": None} in run("room", "list")


def test_a_pin_goes_to_the_unit_as_a_digest(run: Run, database: Database) -> None:
    run("unit", "pin", "unit-1", "--pin-stdin", stdin="4711\n")
    assert "4 to 8 digits" in run("unit", "pin", "unit-1", "--pin-stdin", stdin="x\n", code=1)
    run("unit", "config", "unit-1", "--phone", "08-123", "--language", "sv", "--language", "fi")
    with database.read() as db:
        unit = db.get_one(Unit, "unit-1")
        assert [row.what for row in db.scalars(select(OutboxRow))][-2:] == ["config", "config"]
    assert PasswordHasher().verify(unit.config["staff_pin_digest"], "4711")
    assert unit.config["languages"] == ["sv", "fi"]
    assert "phone" in run("unit", "config", "unit-1", "--phone", "0" * 121, code=1)
    run("unit", "network", "unit-1", "--ice-transport-policy", "relay", "--media-ports", "50000-50099")
    with database.read() as db:
        assert db.get_one(Unit, "unit-1").config["ice_transport_policy"] == "relay"
    assert "media_ports" in run("unit", "network", "unit-1", "--media-ports", "all", code=1)


def test_staff_and_queues_are_made_listed_and_removed(run: Run, database: Database) -> None:
    anna = run("staff", "add", "Anna", "--clinic", CLINIC, "--pin-stdin", stdin="471102\n")["id"]
    assert "guessed" in run("staff", "add", "Bo", "--clinic", CLINIC, "--pin-stdin", stdin="1234\n", code=1)
    assert "guessed" in run("unit", "pin", "unit-1", "--pin-stdin", stdin="1234\n", code=1)
    run("staff", "pin", anna, "--pin-stdin", stdin="830915\n")
    assert [row["label"] for row in run("staff", "list")] == ["Anna"]
    run("queue", "add", "jour", "--clinic", CLINIC, "--name", "Jouren", "--rooms-of", CLINIC)
    assert "not here" in run("queue", "add", "natt", "--clinic", CLINIC, "--rooms-of", "Ingen", code=1)
    assert run("queue", "list") == [
        {"queue": "jour", "name": "Jouren", "clinic": CLINIC, "rooms_of": [CLINIC], "waiting": 0}
    ]
    with database.read() as db:
        config = db.get_one(Unit, "unit-1").config
    assert PasswordHasher().verify(config["staff"][0]["pin_digest"], "830915")
    assert [each["id"] for each in config["queues"]] == ["jour"]
    run("queue", "remove", "jour")
    run("staff", "remove", anna)
    assert (run("staff", "list"), run("queue", "list")) == ([], [])
    assert "not known" in run("staff", "remove", anna, code=1)


def test_accounts_have_no_default_password(run: Run) -> None:
    add = ("account", "add", "anna", "--clinic", "Norra", "--password-stdin")
    assert "at least 10" in run(*add, stdin="\n", code=1)
    made = run(*add, stdin="correct horse battery\n")
    assert made["role"] == "clinician"
    run("account", "close", "anna")
    assert [row["active"] for row in run("account", "list")] == [False]


def test_a_clients_token_is_printed_once_and_kept_as_a_digest(run: Run, database: Database) -> None:
    made = run("client", "add", "Tidbok", "--clinic", "Norra")
    with database.read() as db:
        assert db.get_one(ApiClient, made["id"]).token_digest == token_digest(made["token"])


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("book", "attic", "2027-01-11T10:00"), "room: is not known"),
        (("cancel", "nosuchsession"), "session: is not known"),
        (("room", "assign", "attic", "-"), "room: is not known"),
        (("unit", "config", "unit-9"), "unit: is not known"),
        (("room", "add", "no good", "--clinic", "c"), "letters, digits"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(run: Run, arguments: tuple[str, ...], complaint: str) -> None:
    assert complaint in run(*arguments, code=1)


def test_people_get_a_table_and_json_may_stand_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/cli.db"
    for arguments in (["room", "list"], ["room", "list", "--json"]):
        with pytest.raises(SystemExit) as ended:
            main(["--database", url, *arguments])
        assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert "nothing yet" in printed
    assert printed.endswith("[]\n")


def test_only_a_certificate_that_names_the_unit_makes_it_known(run: Run, authority: Authority) -> None:
    other = authority.client("unit-2").certificate_file
    assert "does not name unit-1" in run("unit", "add", "unit-1", "--certificate", str(other), code=1)
    assert "reserved" in run("unit", "add", "region", "--certificate", str(other), code=1)
