"""Access rules follow the database, and the broker is told."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from provisioning import broker_access
from provisioning.broker_access import BrokerAccess
from provisioning.broker_files import BOOTSTRAP_ACL, MAIN_ACL
from provisioning.database import Database
from provisioning.enrolments import Enrolments
from provisioning.settings import BrokerSettings


@pytest.fixture
def settings(tmp_path: Path) -> BrokerSettings:
    told = tmp_path / "told"
    return BrokerSettings(
        ca_file=tmp_path,
        certificate_file=tmp_path,
        key_file=tmp_path,
        regions=("region", "region-2"),
        acl_file=tmp_path / MAIN_ACL,
        bootstrap_acl_file=tmp_path / BOOTSTRAP_ACL,
        reload_command=("sh", "-c", f"echo told >> {told}"),
    )


def told(folder: Path) -> int:
    return len((folder / "told").read_text().splitlines())


def test_rules_are_written_and_told_when_the_wish_changes_and_not_otherwise(
    settings: BrokerSettings, tmp_path: Path, database: Database, clock: Any
) -> None:
    access = BrokerAccess(database, settings)
    access.apply()
    access.apply()
    assert told(tmp_path) == 1
    rules = (tmp_path / MAIN_ACL).read_text()
    assert "user region\n" in rules and "user region-2\n" in rules and "deny" not in rules

    Enrolments(database, clock).revoke("unit-1", "stolen", "acc-it")
    access.apply()
    assert told(tmp_path) == 2
    assert (tmp_path / MAIN_ACL).read_text() == f"{rules}\nuser unit-1\ntopic deny #\n"
    assert "hr/v1/u" not in (tmp_path / BOOTSTRAP_ACL).read_text()
    # A new instance cannot know whether the one before lived to tell the broker.
    BrokerAccess(database, settings).apply()
    assert told(tmp_path) == 3


def test_rules_that_cannot_be_told_are_tried_again(
    settings: BrokerSettings, tmp_path: Path, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    access = BrokerAccess(database, settings.model_copy(update={"reload_command": ("false",)}))
    access.apply()
    access.apply()
    assert caplog.text.count("not in force") == 2


def test_a_number_that_is_not_the_brokers_is_never_signalled(
    settings: BrokerSettings,
    tmp_path: Path,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "pid").write_text(f"{os.getpid()}\n")
    signals: list[tuple[int, int]] = []
    monkeypatch.setattr(broker_access.os, "kill", lambda *given: signals.append(given))
    by_pid = settings.model_copy(update={"reload_command": (), "pid_file": tmp_path / "pid"})
    BrokerAccess(database, by_pid).apply()
    assert signals == []
    assert "is not the broker's" in caplog.text


def test_a_broker_of_another_kind_has_no_files_of_ours(
    settings: BrokerSettings, tmp_path: Path, database: Database
) -> None:
    BrokerAccess(database, settings.model_copy(update={"acl_file": None})).apply()
    assert list(tmp_path.glob("*.acl")) == []
