"""The region's watchdog is fed while its parts move; what is away is no reason to starve it."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from provisioning.alive import LIMIT_SHARE, USUAL_WATCHDOG_S, Alive, DatabaseProbe, Part, watchdog_s
from provisioning.database import Database
from provisioning.lease import Deposed

WITHIN_S = 100.0
NAMES = ("worker", "link", "database")
UNIT = Path(__file__).parents[2] / "systemd/halsorum-region.service"


class Region:
    """Parts whose movements the test makes, at a time that is the test's."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.moved = dict.fromkeys(NAMES, self.now_s)
        self.said: list[str] = []
        self.leads = True
        self.alive = Alive(self.parts, self.said.append, within_s=WITHIN_S, clock=lambda: self.now_s)

    def parts(self) -> list[Part]:
        moved_at = {name: (lambda name=name: self.moved[name]) for name in NAMES}
        return [Part(name, moved_at[name]) for name in NAMES] if self.leads else []

    def after(self, seconds: float, *standing: str) -> str:
        self.now_s += seconds
        for name in set(NAMES) - set(standing):
            self.moved[name] = self.now_s
        return self.alive.look()


def test_fed_at_each_look_while_all_move() -> None:
    region = Region()
    for _ in range(5):
        assert region.after(10) == ""
    assert region.said == ["WATCHDOG=1"] * 5


@pytest.mark.parametrize("part", NAMES)
def test_what_stands_still_is_said_in_time_and_the_watchdog_starves(
    part: str, caplog: pytest.LogCaptureFixture
) -> None:
    region = Region()
    assert region.after(WITHIN_S * LIMIT_SHARE, part) == ""
    with caplog.at_level(logging.CRITICAL):
        assert region.after(1, part) == part
        assert region.after(1, part) == part
    assert region.said == ["WATCHDOG=1", f"STATUS=stalled: {part}"]
    assert [record.halsorum_stalled for record in caplog.records] == [part]
    assert region.after(1) == ""
    assert region.said[2:] == ["WATCHDOG=1", "STATUS="]


def test_one_that_stands_by_is_fed() -> None:
    region = Region()
    region.leads = False
    assert region.after(10 * WITHIN_S, *NAMES) == ""
    assert region.said == ["WATCHDOG=1"]


class Failing:
    """A database whose transactions end in an error."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    @contextmanager
    def write(self) -> Any:
        raise self.error
        yield


def asked(database: Any) -> bool:
    """Whether it has answered."""
    probe = DatabaseProbe(database, 1.0)
    probe.answered_at = 0.0
    probe.ask()
    return probe.answered_at > 0


def refused(name: str) -> OperationalError:
    error = sqlite3.OperationalError(name)
    error.sqlite_errorname = name
    return OperationalError("", {}, error)


@pytest.mark.parametrize(
    ("error", "answers"),
    [
        (refused("SQLITE_CANTOPEN"), True),
        (OperationalError("", {}, OSError("connection refused")), True),
        (Deposed(), True),
        (refused("SQLITE_BUSY"), False),
        (NoConnection(), False),
    ],
)
def test_a_refusal_is_an_answer_and_a_wait_is_none(error: Exception, answers: bool) -> None:
    assert asked(Failing(error)) is answers


def test_a_real_database_answers_and_one_whose_lock_is_held_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provisioning.database_url.BUSY_TIMEOUT_S", 0)
    file = tmp_path / "region.db"
    database = Database(f"sqlite:///{file}")
    assert asked(database)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert not asked(database)
        other.execute("ROLLBACK")
    assert asked(database)
    database.close()


def test_systemds_patience_is_the_units() -> None:
    assert watchdog_s({"WATCHDOG_USEC": "30000000"}) == 30.0
    assert watchdog_s({}) == USUAL_WATCHDOG_S
    assert f"WatchdogSec={USUAL_WATCHDOG_S:g}\n" in UNIT.read_text()
