"""`halsorum command`, as a person would type it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import update
from typer.main import get_command
from typer.testing import CliRunner

from provisioning.cli import app
from provisioning.database import Database
from provisioning.fleet_models import CommandRow

COMMAND = get_command(app)


@pytest.fixture
def run(database: Database, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("provisioning.database.Database", lambda url: {"url:": database}[url])
    monkeypatch.setattr("typer.testing._get_command", {app: COMMAND}.__getitem__)

    def type_in(*arguments: str, stdin: str = "", code: int = 0) -> Any:
        done = CliRunner().invoke(app, ["--database", "url:", "--json", *arguments], input=stdin)
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if code == 0 else done.output

    return type_in


def test_a_command_is_sent_listed_shown_and_taken_back(run: Any) -> None:
    sent = run("command", "send", "unit-1", "locate", "seconds=30", "--expires", "2h", "--timeout", "90s")
    assert (sent["state"], sent["arguments"]) == ("sent", {"seconds": "30"})
    [line] = run("command", "list", "--unit", "unit-1")
    assert line == run("command", "show", sent["id"])
    assert run("command", "cancel", sent["id"])["cancel"] is True


def test_what_is_typed_wrong_is_said(run: Any) -> None:
    assert "key=value" in run("command", "send", "unit-1", "locate", "seconds", code=1)
    assert "30s, 15m" in run("command", "send", "unit-1", "locate", "--expires", "soon", code=1)
    assert "is one of restart" in run("command", "send", "unit-1", "help", code=1)
    assert "is not known" in run("command", "show", "c-nowhere", code=1)


def test_a_wipe_asks_first(run: Any) -> None:
    run("command", "send", "unit-1", "wipe", stdin="n\n", code=1)
    assert run("command", "list") == []
    assert run("command", "send", "unit-1", "wipe", "bootstrap=remove", "--yes")["name"] == "wipe"


def test_one_that_is_waited_for_and_ends_badly_is_exit_code_3(
    run: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unit_answers(_pause_s: float) -> None:
        with database.write() as db:
            db.execute(update(CommandRow).values(state="failed", reason="camera"))

    monkeypatch.setattr("provisioning.cli_commands.time.sleep", unit_answers)
    assert "camera" in run("command", "send", "unit-1", "selftest", "--wait", code=3)
