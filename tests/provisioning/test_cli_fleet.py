"""IT's command line for the fleet, each command as a person would type it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text, update
from typer.testing import CliRunner

from agent.contract.status import Status
from provisioning.cli import app, main
from provisioning.database import Database
from provisioning.fleet import Fleet
from provisioning.fleet_models import ConfigRevision
from provisioning.models import UnitReport
from provisioning.rollout_worker import RolloutWorker
from tests.provisioning.conftest import CLINIC

Run = Any


@pytest.fixture
def run(database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Types a command; all commands of a test share an opened database."""
    monkeypatch.setattr("provisioning.database.Database", lambda url: {"url:": database}[url])

    def type_in(*arguments: str, code: int = 0) -> Any:
        done = CliRunner().invoke(app, ["--database", "url:", "--json", *arguments])
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if code == 0 else done.output

    return type_in


@pytest.fixture
def unit_1_is_ready(database: Database) -> None:
    """Now, which is the command line's time; its configuration is of now, too, and so not taken for too long."""
    now = datetime.now(UTC)
    Fleet(database, lambda: now).status("unit-1", Status(state="ready", boot=1))
    with database.write() as db:
        db.execute(update(ConfigRevision).values(at=now))


@pytest.mark.usefixtures("unit_1_is_ready")
def test_units_are_searched_and_shown(run: Run) -> None:
    assert [unit["unit"] for unit in run("unit", "list")] == ["unit-1", "unit-2"]
    (east,) = run("unit", "list", "--search", "east", "--health", "good")
    assert (east["state"], east["configuration"], east["faults"]) == ("ready", "0 of 1", [])
    assert run("unit", "list", "--clinic", CLINIC, "--health", "bad") == []
    assert "is one of" in run("unit", "list", "--health", "ill", code=1)
    page = run("unit", "show", "unit-1")
    assert (page["line"]["room"], page["origins"]["room_name"]) == ("East", "room")
    assert "not known" in run("unit", "show", "unit-9", code=1)
    told = run("fleet")
    assert (told["units"], told["health"]["good"], told["reasons"]) == (
        2,
        1,
        {"never_heard": 1, "no_room": 1},
    )


def test_a_units_fields_are_set_given_back_and_remembered(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("volume = 2\n[screen]\nwidth_mm = 500.0\nheight_mm = 300.0\n")
    rev = run("unit", "set", "unit-1", "phone=08-123", "--file", str(file))["rev"]
    assert run("unit", "show", "unit-1")["config"]["screen"] == {"width_mm": 500.0, "height_mm": 300.0}
    assert "volume" in run("unit", "set", "unit-1", "volume=9", code=1)
    assert run("unit", "unset", "unit-1", "phone")["rev"] == rev + 1
    assert "phone" not in run("unit", "show", "unit-1")["config"]
    assert "missing" in run("unit", "set", "unit-1", code=1)
    assert [run("unit", "retry", "unit-1")["attempt"] for _ in range(2)] == [1, 2]
    newest = run("unit", "history", "unit-1")[0]
    assert (newest["kind"], newest["fields"]["fields"]) == ("config_wanted", ["attempt"])
    (entry, *_) = run("audit", "list", "--target", "unit-1")
    assert (entry["action"], entry["by"].partition(":")[0]) == ("set_config", "cli")


def test_groups_are_made_filled_and_set(run: Run) -> None:
    run("group", "add", "pilot", "--about", "Try-out", "--rank", "5")
    told = run("group", "members", "pilot", "--add", "unit-1", "--add", "unit-2", "--remove", "unit-2")
    assert told["units"] == ["unit-1"]
    run("group", "set", "pilot", "volume=2", "languages=sv,en")
    assert run("group", "list") == [
        {
            "group": "pilot",
            "about": "Try-out",
            "rank": 5,
            "units": 1,
            "sets": {"volume": 2, "languages": ["sv", "en"]},
        }
    ]
    assert run("unit", "show", "unit-1")["origins"]["volume"] == "group:pilot"
    run("group", "unset", "pilot", "volume")
    assert [unit["unit"] for unit in run("unit", "list", "--group", "pilot")] == ["unit-1"]
    run("group", "remove", "pilot")
    assert (run("group", "list"), "not known" in run("group", "members", "pilot", code=1)) == ([], True)


@pytest.mark.usefixtures("unit_1_is_ready")
def test_a_rollout_is_begun_steered_and_waited_for(run: Run, database: Database) -> None:
    assert "--all" in run("rollout", "start", "config", "volume=2", code=1)
    number = str(run("rollout", "start", "config", "volume=2", "--all", "--stages", "1,100%")["id"])
    assert run("rollout", "pause", number)["state"] == "paused"
    assert run("rollout", "resume", number)["state"] == "running"
    RolloutWorker(database, lambda: datetime.now(UTC)).tick()
    assert run("rollout", "show", number)["counts"] == {"sent": 1, "waiting": 1}
    assert run("rollout", "abort", number)["state"] == "aborted"
    command = run(
        "rollout",
        "start",
        "command",
        "show-message",
        "text=Hej",
        "minutes=5",
        "--unit",
        "unit-2",
        "--title",
        "Hej",
    )
    assert command["payload"]["arguments"] == {"text": "Hej", "minutes": "5"}
    assert [line["title"] for line in run("rollout", "list")] == ["Hej", "volume"]
    run("rollout", "abort", str(command["id"]))
    assert '"aborted"' in run("rollout", "show", str(command["id"]), "--wait", code=3)


def test_a_changed_audit_log_fails_the_check_and_is_named(run: Run, database: Database) -> None:
    run("room", "swap", "west", "unit-2")
    assert run("audit", "verify")["ok"] is True
    with database.write() as db:
        db.execute(text("UPDATE audit_log SET target = 'east' WHERE seq = 2"))
    assert '"entries": 1' in run("audit", "verify", code=1)


@pytest.mark.usefixtures("unit_1_is_ready")
def test_people_get_tables(database: Database, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr("provisioning.database.Database", lambda url: {"url:": database}[url])
    for line in (
        "unit list",
        "unit show unit-1",
        "unit history unit-1",
        "unit set unit-1 volume=2",
        "group add pilot",
        "group list",
        "rollout start config volume=3 --unit unit-1",
        "rollout list",
        "rollout show 1",
        "fleet",
        "audit list",
        "audit verify",
    ):
        with pytest.raises(SystemExit) as end:
            main(["--database", "url:", *line.split()])
        assert end.value.code == 0, line
    told = capsys.readouterr().out
    assert "unit-1" in told


@pytest.mark.usefixtures("unit_1_is_ready")
def test_a_units_own_words_break_no_table_and_command_no_terminal(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr("provisioning.database.Database", lambda url: {"url:": database}[url])
    with database.write() as db:
        db.get_one(UnitReport, "unit-1").info = {"software": "[/x]\x1b[2J"}
    with pytest.raises(SystemExit) as end:
        main(["--database", "url:", "unit", "show", "unit-1"])
    told = capsys.readouterr().out
    assert end.value.code == 0
    assert "[/x]" in told
    assert "\x1b" not in told
