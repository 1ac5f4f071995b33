"""`halsorum enrol`, `bootstrap`, `broker` and who may come in, as a person would type it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from agent.contract.enrolment import EnrolRequest
from provisioning.cli import app
from provisioning.database import Database
from provisioning.enrolment_intake import take
from provisioning.enrolment_settings import EnrolmentSettings
from provisioning.local_files import write_toml
from provisioning.signing import read_request
from tests.provisioning.csr import csr, new_key

Run = Any
COMMAND = get_command(app)


@pytest.fixture
def run(database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Types a command; all commands of a test share an opened database."""
    settings = write_toml(
        tmp_path / "region.toml",
        {"database_url": "url:", "state_dir": str(tmp_path)},
        broker={name: str(tmp_path / name) for name in ("ca_file", "certificate_file", "key_file")},
        enrolment={"authority_dir": str(tmp_path / "a"), "bootstrap_dir": str(tmp_path / "b")},
    )
    monkeypatch.setattr("provisioning.database.Database", lambda url: {"url:": database}[url])
    monkeypatch.setattr("typer.testing._get_command", {app: COMMAND}.__getitem__)

    def type_in(*arguments: str, code: int = 0, as_table: bool = False) -> Any:
        form = [] if as_table else ["--json"]
        done = CliRunner().invoke(app, ["--settings", str(settings), *form, *arguments])
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if code == 0 and not as_table else done.output

    return type_in


def test_the_words_are_not_broken_at_eighty_columns(
    run: Run, database: Database, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    knock(database, clock, "hs-7")
    (row,) = run("enrol", "list")
    words = row["words"].split()
    monkeypatch.setenv("COLUMNS", "80")
    drawn = run("enrol", "list", as_table=True)
    assert [word for word in words if word not in drawn] == []


def knock(database: Database, clock: Any, serial: str, pem: str | None = None) -> None:
    pem = pem or csr()
    settings = EnrolmentSettings(authority_dir=Path("a"))
    with database.write() as db:
        take(db, serial, EnrolRequest(csr=pem), read_request(pem), now=clock(), settings=settings)


def test_a_unit_is_listed_let_in_revoked_and_taken_back(run: Run, database: Database, clock: Any) -> None:
    knock(database, clock, "hs-7")
    (row,) = run("enrol", "list")
    assert (row["serial"], row["state"], row["unit"]) == ("hs-7", "waiting", "unit-7")
    assert len(row["words"].split()) == 8
    assert run("enrol", "approve", str(row["id"]), "--room", "west")["unit"] == "unit-7"
    assert "approved already" in run("enrol", "reject", str(row["id"]), code=1)
    assert run("unit", "revoke", "unit-7", "--reason", "stolen")["revoked"] is True
    assert "revoked already" in run("unit", "revoke", "unit-7", code=1)
    assert run("unit", "unrevoke", "unit-7")["revoked"] is False
    assert run("unit", "block", "unit-7")["serial"] == "hs-7"
    assert run("bootstrap", "list")[0]["state"] == "blocked"
    assert run("unit", "arm", "hs-7")["state"] == "armed"
    assert "came in without" in run("unit", "arm", "unit-1", code=1)


def test_one_is_turned_away_and_one_that_does_not_wait_is_said(
    run: Run, database: Database, clock: Any
) -> None:
    knock(database, clock, "hs-8")
    (row,) = run("enrol", "list")
    assert run("enrol", "reject", str(row["id"]), "--reason", "not ours")["state"] == "rejected"
    assert run("enrol", "list") == []
    assert run("enrol", "list", "--all")[0]["reason"] == "not ours"
    assert "does not wait" in run("enrol", "approve", "99", code=1)


def test_another_boxs_name_is_given_only_when_that_is_said(run: Run, database: Database, clock: Any) -> None:
    knock(database, clock, "hs-9")
    number = str(run("enrol", "list")[0]["id"])
    assert "another box" in run("enrol", "approve", number, "--unit", "unit-1", code=1)
    assert run("enrol", "approve", number, "--unit", "unit-1", "--replace")["unit"] == "unit-1"


def test_a_bootstrap_certificate_is_made_for_a_key_that_is_new(run: Run, tmp_path: Path) -> None:
    key = new_key()
    request = tmp_path / "request.pem"
    request.write_text(csr(key, "hs-5"))
    out = tmp_path / "bootstrap"
    assert run("bootstrap", "sign", str(request), "--out", str(out))["serial"] == "hs-5"
    assert sorted(file.name for file in out.iterdir()) == ["address.toml", "ca.pem", "certificate.pem"]
    assert "port = 8884" in (out / "address.toml").read_text()
    assert run("bootstrap", "list")[0]["state"] == "armed"
    assert "used before" in run("bootstrap", "sign", str(request), "--out", str(out), code=1)
    request.write_text(csr(None, "UNIT 5"))
    assert "lowercase letters" in run("bootstrap", "sign", str(request), "--out", str(out), code=1)
    assert "unit's name" in run("bootstrap", "sign", str(request), "--serial", "unit-1", code=1)
    request.write_text("no request")
    assert "not one PKCS #10" in run("bootstrap", "sign", str(request), code=1)


def test_the_brokers_files_are_written_and_told(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    told = run("broker", "write", "--folder", str(folder), "--region", "region", "--region", "region-2")
    assert told["files"] == sorted(file.name for file in folder.iterdir())
    assert "user region-2" in (folder / "mosquitto.acl").read_text()
    (tmp_path / "file").write_text("")
    assert "cannot be written" in run("broker", "write", "--folder", str(tmp_path / "file"), code=1)
