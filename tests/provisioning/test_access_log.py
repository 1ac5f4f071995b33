"""Who looked at what: once per person and thing, in a chain in which any change shows."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from provisioning import access_log
from provisioning.access_log import AccessLog, Question
from provisioning.database import Database
from provisioning.people_models import AccessEntry
from web.clinic.services import Account

ANNA = Account("a1", "Anna", "clinician", "Norra", "oidc")
BO = Account("a2", "Bo", "staff", "Norra")


@pytest.fixture
def log(database: Database, clock: Any) -> AccessLog:
    return AccessLog(database, clock)


def read(database: Database, **asked: Any) -> list[AccessEntry]:
    with database.read() as db:
        return list(access_log.entries(db, Question(**asked)))


def test_an_entry_tells_who_how_identified_what_and_when(
    log: AccessLog, database: Database, clock: Any
) -> None:
    log.looked(ANNA, "session", "sid1", None, "shown")
    (row,) = read(database)
    assert (row.seq, row.at, row.account_id, row.identified) == (1, clock.now, "a1", "oidc")
    assert (row.role, row.clinic, row.kind, row.sid, row.outcome) == (
        "clinician",
        "Norra",
        "session",
        "sid1",
        "shown",
    )


def test_a_page_that_refreshes_itself_is_one_look_in_five_minutes(
    log: AccessLog, database: Database, clock: Any
) -> None:
    for _ in range(9):
        log.looked(ANNA, "list", None, "2026-11-23", "shown")
        clock.pass_by(seconds=30)
    assert len(read(database)) == 1
    clock.pass_by(seconds=30)
    log.looked(ANNA, "list", None, "2026-11-23", "shown")
    assert len(read(database)) == 2


def test_another_person_thing_or_outcome_is_another_look(log: AccessLog, database: Database) -> None:
    for account, kind, sid, outcome in (
        (ANNA, "session", "s1", "shown"),
        (BO, "session", "s1", "shown"),
        (ANNA, "session", "s2", "shown"),
        (ANNA, "log", "s1", "shown"),
        (ANNA, "session", "s1", "refused"),
    ):
        log.looked(account, kind, sid, None, outcome)
    assert len(read(database)) == 5
    assert [row.account_id for row in read(database, sid="s1")] == ["a1", "a2", "a1", "a1"]
    assert len(read(database, account_ids=frozenset({"a2"}))) == 1


def test_what_could_not_be_written_is_tried_again(
    log: AccessLog, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(OSError):
        patch.setattr(database, "write", _no_disk)
        log.looked(ANNA, "calls", None, None, "shown")
    log.looked(ANNA, "calls", None, None, "shown")
    assert len(read(database)) == 1


def _no_disk() -> None:
    raise OSError("no space left")


def fill(log: AccessLog, database: Database) -> tuple[int, str]:
    for number in range(4):
        log.looked(ANNA, "session", f"s{number}", None, "shown")
    with database.read() as db:
        return access_log.verify(db)


@pytest.mark.parametrize(
    ("statement", "fits", "reason"),
    [
        ("UPDATE access_log SET account_id = 'a9' WHERE seq = 2", 1, "was changed"),
        ("UPDATE access_log SET day = 'x' WHERE seq = 2", 1, "was changed"),
        ("DELETE FROM access_log WHERE seq = 3", 2, "entry 3 is missing"),
        ("DELETE FROM access_log WHERE seq = 4", 3, "end was cut off"),
    ],
)
def test_a_change_shows(log: AccessLog, database: Database, statement: str, fits: int, reason: str) -> None:
    assert fill(log, database) == (4, "")
    with database.write() as db:
        db.execute(text(statement))
    with database.read() as db:
        found = access_log.verify(db)
    assert found[0] == fits
    assert reason in found[1]


def test_the_program_itself_changes_no_entry(log: AccessLog, database: Database) -> None:
    fill(log, database)
    with pytest.raises(RuntimeError, match="not to be changed"), database.write() as db:
        db.get_one(AccessEntry, 1).kind = "list"
    with pytest.raises(RuntimeError, match="not to be changed"), database.write() as db:
        db.delete(db.get_one(AccessEntry, 1))


def test_the_command_line_reads_and_exports(
    log: AccessLog, database: Database, database_url: str, clock: Any, tmp_path: Path, accounts: Any
) -> None:
    from typer.testing import CliRunner

    from provisioning import cli

    sly = accounts.add("sly", "=HYPERLINK(1)", "clinician", "Norra", "correct horse battery")
    log.looked(sly, "session", "s1", None, "shown")
    log.looked(BO, "list", None, "2026-11-23", "shown")
    given = ["--database", database_url, "log", "access"]
    file = tmp_path / "access.csv"
    runner = CliRunner()
    assert '"sid": "s1"' in runner.invoke(cli.app, ["--json", *given, "--sid", "s1"]).stdout
    assert "2 entries" in runner.invoke(cli.app, [*given, "--csv", str(file)]).stdout
    first, second = csv.DictReader(file.read_text().splitlines())
    assert (first["name"], first["at"], second["day"]) == (
        "'=HYPERLINK(1)",
        "2026-11-23T09:00:00+01:00",
        "2026-11-23",
    )
    again = runner.invoke(cli.app, [*given, "--csv", str(file)])
    assert (again.exit_code, "is there already" in again.stderr) == (1, True)
    later = runner.invoke(cli.app, ["--json", *given, "--since", "2026-11-23T09:01"])
    assert later.stdout.strip() == "[]"
