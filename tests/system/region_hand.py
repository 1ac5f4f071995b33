"""IT's hand at the region's database, as its pages and its command line have it, and what the unit has kept."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, NamedTuple

from provisioning.configurations import Configurations
from provisioning.database import Database
from tests.system.stack import Stack
from tests.system.visit import until, wait_until_ready

PATIENCE_S = 60.0
UNIT = "unit-1"


class Report(NamedTuple):
    """What the region holds of the unit's word."""

    state: str
    rev: int
    wanted_rev: int
    errors: list[str]


class RegionHand:
    """Sets configurations, and waits for what becomes of them."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.file = stack.state / "region" / "region.db"

    def set(self, **values: Any) -> int:
        """Set fields of the unit's own configuration; returns the revision that is waited for."""
        database = Database(f"sqlite:///{self.file}")
        try:
            return Configurations(database, lambda: datetime.now(UTC)).set_unit(UNIT, values, "cli:test")
        finally:
            database.close()

    def report(self) -> Report:
        """What the unit has said last."""
        columns = "config_state, config_rev, config_wanted_rev, config_errors"
        with closing(sqlite3.connect(self.file, timeout=10)) as db:
            query = f"SELECT {columns} FROM unit_reports WHERE unit_id = ?"
            state, rev, wanted, errors = db.execute(query, (UNIT,)).fetchone()
        return Report(state, rev, wanted, json.loads(errors))

    def expect(self, state: str, wanted: int) -> Report:
        """Wait until the unit has said this of that revision."""

        def is_so() -> Report | None:
            report = self.report()
            return report if (report.state, report.wanted_rev) == (state, wanted) else None

        return until(is_so, f"configuration {wanted} {state}", PATIENCE_S)  # type: ignore[no-any-return]

    def ledger(self) -> dict[str, Any]:
        """What the unit has on its disk."""
        with closing(sqlite3.connect(self.stack.state / "unit" / "state" / "unit.db", timeout=10)) as db:
            [kept] = db.execute("SELECT value FROM kept WHERE key = 'configuration'").fetchone()
        return json.loads(kept)  # type: ignore[no-any-return]


def with_settings(stack: Stack, **lines: object) -> RegionHand:
    """Have the unit start again with lines of its settings file added or changed."""
    file = stack.state / "unit" / "unit.toml"
    kept = [line for line in file.read_text().splitlines() if line.partition(" ")[0] not in lines]
    added = [f"{name} = {json.dumps(value)}" for name, value in lines.items()]
    file.write_text("\n".join([*added, *kept, ""]))
    stack.kill_and_wait("unit")
    wait_until_ready(stack)
    return RegionHand(stack)
