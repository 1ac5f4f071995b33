"""`halsorum update`, as a person would type it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from provisioning.cli import app
from provisioning.database import Database
from provisioning.rollouts import UPDATE_TIMEOUT_S

COMMAND = get_command(app)
URL = "https://files.example/halsorum-vm-0.5.1.raucb"
BODY = b"bundle" * 1000


@pytest.fixture
def run(database: Database, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("provisioning.database.Database", lambda url: {"url:": database}[url])
    monkeypatch.setattr("typer.testing._get_command", {app: COMMAND}.__getitem__)

    def type_in(*arguments: str, code: int = 0) -> Any:
        done = CliRunner().invoke(app, ["--database", "url:", "--json", *arguments])
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if code == 0 else done.output

    return type_in


@pytest.fixture
def told(tmp_path: Path) -> str:
    file = tmp_path / "halsorum-vm-0.5.1.json"
    digest = hashlib.sha256(BODY).hexdigest()
    of_bundle = {"version": "0.5.1", "compatible": "halsorum-vm", "size": str(len(BODY)), "sha256": digest}
    file.write_text(json.dumps(of_bundle))
    return str(file)


def test_one_unit_is_told_with_what_the_maker_wrote_beside_the_bundle(run: Any, told: str) -> None:
    sent = run("update", "send", "unit-1", told, "--url", URL, "--allow-downgrade", "--timeout", "6h")
    assert (sent["name"], sent["state"]) == ("update", "sent")
    assert sent["arguments"] == {"url": URL, **json.loads(Path(told).read_text()), "allow_downgrade": "yes"}


@pytest.mark.parametrize("url", ["http://files.example/b", "file:///b", "https://"])
def test_an_address_that_no_unit_would_ask_is_not_sent(run: Any, told: str, url: str) -> None:
    assert "https" in run("update", "send", "unit-1", told, "--url", url, code=1)


def test_a_bundle_beside_its_description_is_the_one_that_is_told_of(run: Any, told: str) -> None:
    Path(told).with_suffix(".raucb").write_bytes(BODY)
    run("update", "send", "unit-1", told, "--url", URL)
    Path(told).with_suffix(".raucb").write_bytes(BODY + b"more")
    assert "is another than" in run("update", "send", "unit-1", told, "--url", URL, code=1)
    assert "cannot be read" in run("update", "send", "unit-1", "/none.json", "--url", URL, code=1)
    Path(told).write_text("[]")
    assert "make bundle" in run("update", "send", "unit-1", told, "--url", URL, code=1)


def test_many_are_told_in_stages(run: Any, told: str) -> None:
    assert "--all" in run("update", "rollout", told, "--url", URL, code=1)
    begun = run("update", "rollout", told, "--url", URL, "--unit", "unit-1", "--stages", "1")
    assert (begun["title"], begun["what"]) == ("update 0.5.1", "command")
    assert begun["payload"]["timeout_s"] == UPDATE_TIMEOUT_S
    assert begun["payload"]["expires_in_s"] > UPDATE_TIMEOUT_S
