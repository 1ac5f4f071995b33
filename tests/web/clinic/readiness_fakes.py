"""Rooms that are not ready, in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from web.clinic.readiness_figures import FaultFigures, UnitMonth
from web.clinic.readiness_services import NotReadyRoom, Target, ToldLine

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
COVERED = NotReadyRoom(
    id="r2",
    name="Rum 2",
    clinic="Kusten",
    level="fail",
    instruction="camera_covered",
    others=1,
    since=NOW - timedelta(minutes=12),
    sid="s" * 12,
    ref="A17",
    start=NOW + timedelta(minutes=20),
    remaining=3,
    told=(ToldLine("Vaktmästaren", "email", "sent", NOW - timedelta(minutes=10)),),
    targets=(Target("r1", "Rum 1"),),
    can_try=True,
)


class FakeReadiness:
    """ReadinessServices."""

    def __init__(self):
        self.found, self.done, self.refuses = [COVERED], [], None

    def not_ready(self, account):
        return self.found

    def _do(self, *what):
        if self.refuses:
            raise self.refuses
        self.done.append(what)

    def figures(self, account, month):
        return [replace(MONTH, month=month)]

    def figures_csv(self, account, month):
        return f"unit,month\r\nunit-2,{month}\r\n"

    def try_again(self, account, room):
        self._do("try", account.id, room)

    def move_to(self, account, sid, room):
        self._do("move", account.id, sid, room)


MONTH = UnitMonth(
    "unit-2",
    "2026-03",
    held=10,
    in_time=7,
    causes={"room": 2, "patient": 1},
    faults=(FaultFigures("camera_covered", 2, 14.5, 21.0, still=True),),
)
