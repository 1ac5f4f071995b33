"""Rollouts through the database, with units that answer as the test says."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from agent.contract.commands import KNOWN
from agent.contract.status import Status
from agent.contract.unit_config import ConfigReport
from provisioning import audit
from provisioning.database import Database
from provisioning.fleet import Fleet
from provisioning.fleet_models import CommandRow
from provisioning.models import Unit, UnitReport
from provisioning.rollout_worker import RolloutWorker
from provisioning.rollouts import ONE_BY_ONE, Rollouts
from web.clinic.fleet.rollout_making import COMMANDS
from web.clinic.fleet.services import RolloutLine, RolloutRequest
from web.clinic.services import Refused

UNITS = [f"r-{number}" for number in range(8)]
IT = "acc-it"


class Played:
    """Eight units that are connected, and the worker."""

    def __init__(self, database: Database, clock: Any) -> None:
        self.database, self.clock = database, clock
        self.rollouts = Rollouts(database, clock)
        self.up = True
        self.worker = RolloutWorker(database, clock, lambda: self.up)
        self.fleet = Fleet(database, clock)
        with database.write() as db:
            for unit in UNITS:
                db.add(Unit(id=unit, added_at=clock()))
            db.flush()
            for unit in UNITS:
                db.add(UnitReport(unit_id=unit))
        for unit in UNITS:
            self.fleet.status(unit, Status(state="ready", boot=1))

    def start(self, **changes: Any) -> int:
        values: dict[str, Any] = {
            "what": "config",
            "title": "",
            "payload": {"volume": 2},
            "units": tuple(UNITS),
            "stages": ("1", "50%", "100%"),
            "failures_allowed": "25%",
            "wait_s": 60,
        }
        return self.rollouts.start(RolloutRequest(**values | changes), IT)

    def tick(self, times: int = 2) -> None:
        for _ in range(times):
            self.clock.pass_by(seconds=1)
            self.worker.tick()

    def line(self, rollout: int) -> RolloutLine:
        return self.rollouts.line(rollout, {})

    def sent(self, rollout: int) -> list[str]:
        return [unit for unit, _, state, _ in self.line(rollout).units if state == "sent"]

    def answer(self, unit: str, how: str = "applied") -> None:
        with self.database.read() as db:
            row = db.get_one(Unit, unit)
        if how == "applied":
            self.fleet.config(unit, row.config_rev, ConfigReport(applied=True))
        else:
            report = {"applied": False, "state": how, "wanted_rev": row.config_rev, "errors": ("volume: no",)}
            self.fleet.config(unit, row.config_rev - 1, ConfigReport.model_validate(report))


@pytest.fixture
def played(database: Database, clock: Any) -> Played:
    return Played(database, clock)


def test_a_configuration_goes_out_in_stages(played: Played) -> None:
    rollout = played.start()
    for number in (1, 4, 3):
        played.tick()
        units = played.sent(rollout)
        assert len(units) == number
        for unit in units:
            played.answer(unit)
        played.tick()
    line = played.line(rollout)
    assert (line.state, line.counts, line.title) == ("done", {"succeeded": 8}, "volume")
    with played.database.read() as db:
        assert all(db.get_one(Unit, unit).config_own == {"volume": 2} for unit in UNITS)
        assert audit.verify(db)[1] == ""


def test_it_stops_at_its_threshold_and_reaches_nobody_else(played: Played) -> None:
    rollout = played.start()
    played.tick()
    played.answer(UNITS[0])
    played.tick(3)
    for unit, how in zip(
        played.sent(rollout), ("rejected", "rolled_back", "applied", "deferred"), strict=True
    ):
        played.answer(unit, how)
    played.tick(3)
    line = played.line(rollout)
    assert (line.state, line.counts) == ("stopped", {"succeeded": 2, "failed": 2, "sent": 1, "skipped": 3})
    assert line.reason == "2 of the 5 units in the stages begun have failed"
    assert "rejected: volume: no" in {reason for *_, reason in line.units}
    with pytest.raises(Refused, match="is stopped"):
        played.rollouts.steer(rollout, "resume", IT)
    played.answer(UNITS[4])
    played.tick()
    assert played.line(rollout).counts["succeeded"] == 3, "what was sent is followed to its end"


def test_one_that_says_how_far_it_is_has_not_fallen_silent(played: Played) -> None:
    rollout = played.start(
        what="command", payload={"name": "selftest"}, stages=("100%",), failures_allowed="8"
    )
    played.tick()
    with played.database.write() as db:
        for row in db.scalars(select(CommandRow)):
            row.state, row.reason = "running", "installing, 40 %" if row.unit_id == UNITS[0] else ""
    played.clock.pass_by(seconds=61)
    played.tick()
    assert played.sent(rollout) == UNITS[:1]


def test_nothing_is_sent_twice_whatever_dies_and_however_often_it_is_looked_at(played: Played) -> None:
    rollout = played.start(what="command", payload={"name": "selftest"}, stages=("100%",))
    for _ in range(3):
        played.worker = RolloutWorker(played.database, played.clock)  # the region has started anew
        played.tick(3)
    with played.database.read() as db:
        sent = Counter(db.scalars(select(CommandRow.unit_id).where(CommandRow.rollout_id == rollout)))
    assert sent == dict.fromkeys(UNITS, 1)


def test_commands_succeed_and_fail_by_the_units_word(played: Played) -> None:
    rollout = played.start(
        what="command", payload={"name": "selftest"}, stages=("100%",), failures_allowed="8"
    )
    played.tick()
    with played.database.write() as db:
        for number, row in enumerate(db.scalars(select(CommandRow).order_by(CommandRow.unit_id))):
            row.state, row.reason = [("succeeded", ""), ("failed", "camera"), ("accepted", "in use")][
                number % 3
            ]
    played.tick()
    line = played.line(rollout)
    assert line.counts == {"succeeded": 3, "failed": 3, "sent": 2}
    assert "failed: camera" in {reason for *_, reason in line.units}


def test_who_is_away_is_skipped_and_who_says_nothing_has_failed(played: Played) -> None:
    played.fleet.status(UNITS[3], Status(state="lost", boot=1))
    rollout = played.start(stages=("100%",), failures_allowed="100%")
    assert played.line(rollout).units[3][0] == UNITS[3]
    played.tick()
    for unit in UNITS[:3]:
        played.answer(unit)
    played.clock.pass_by(seconds=58)
    played.up = False
    played.tick()
    played.up = True
    played.tick()
    assert played.line(rollout).counts["sent"] == 4, "the region has heard nothing for itself"
    played.clock.pass_by(seconds=60)
    played.tick()
    assert played.line(rollout).counts == {"succeeded": 3, "failed": 4, "skipped": 1}
    assert played.line(rollout).state == "done"


def test_it_is_paused_resumed_and_aborted(played: Played) -> None:
    rollout = played.start()
    played.rollouts.steer(rollout, "pause", IT)
    played.tick()
    assert played.line(rollout).counts == {"waiting": 8}
    with pytest.raises(Refused, match="is paused"):
        played.rollouts.steer(rollout, "pause", IT)
    played.rollouts.steer(rollout, "resume", IT)
    played.tick()
    assert played.line(rollout).counts == {"waiting": 7, "sent": 1}
    played.rollouts.steer(rollout, "abort", IT)
    played.tick()
    line = played.line(rollout)
    assert (line.state, line.counts) == ("aborted", {"skipped": 7, "sent": 1})
    with played.database.read() as db:
        actions = [entry.action for entry in audit.entries(db)]
    assert actions[-4:] == ["rollout_start", "rollout_pause", "rollout_resume", "rollout_abort"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"payload": {}}, "payload"),
        ({"payload": {"volume": 9}}, "volume"),
        ({"what": "command", "payload": {"name": "explode"}}, "name"),
        ({"what": "command", "payload": {"name": "wipe"}}, "name"),
        ({"what": "command", "payload": {"name": "selftest", "timeout_s": "long"}}, "timeout_s"),
        ({"stages": ("0",)}, "stages"),
        ({"failures_allowed": "few"}, "failures_allowed"),
        ({"wait_s": 1}, "wait_s"),
        ({"units": ("nobody",)}, "units"),
        ({"units": (), "groups": ("none",)}, "groups"),
    ],
)
def test_what_cannot_be_rolled_out_is_refused(played: Played, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        played.start(**changes)
    assert refused.value.field_name == field
    assert played.rollouts.lines({}) == []


def test_a_unit_whose_other_fields_have_changed_since_fails_alone(played: Played) -> None:
    rollout = played.start(payload={"screen": {"width_mm": 500.0, "height_mm": 300.0}}, stages=("100%",))
    with played.database.write() as db:
        db.get_one(Unit, UNITS[0]).config_own = {"volume": 99}
    played.tick()
    line = played.line(rollout)
    assert line.counts == {"failed": 1, "sent": 7}
    assert "volume" in line.units[0][3]


def test_the_list_tells_of_each_how_far_it_is(played: Played) -> None:
    first, second = played.start(), played.start(title="Volym", units=(UNITS[0],))
    lines = played.rollouts.lines({IT: "Ia"})
    assert [(line.id, line.by, line.title) for line in lines] == [
        (second, "Ia", "Volym"),
        (first, "Ia", "volume"),
    ]
    assert lines[1].counts == {"waiting": 8}
    assert lines[0].made_at - played.clock.now < timedelta(1)


def test_what_its_pages_offer_may_be_rolled_out() -> None:
    assert set(COMMANDS) <= set(KNOWN) - ONE_BY_ONE
