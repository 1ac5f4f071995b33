"""The units' figures on their way to Prometheus; no person is in them."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from agent.contract.telemetry import Telemetry
from provisioning.database import Database
from provisioning.fleet_models import CommandRow, Revocation, TelemetryRow
from provisioning.metrics import FleetMetrics, WorkerFigures
from provisioning.models import Unit, UnitReport
from provisioning.readiness_models import Notice
from provisioning.telemetry import FleetTelemetry


def say(telemetry: FleetTelemetry, unit: str, clock: Any, **figures: Any) -> None:
    body = Telemetry(at=clock.now, uptime_s=60.0, **figures)
    telemetry.take(unit, SimpleNamespace(data=body))  # type: ignore[arg-type]


@pytest.fixture
def telemetry(database: Database, clock: Any, rooms: Any) -> FleetTelemetry:
    return FleetTelemetry(database, clock)


def test_the_last_figures_of_each_known_unit_are_written_together(
    telemetry: FleetTelemetry, database: Database, clock: Any
) -> None:
    say(telemetry, "unit-1", clock, temperature_c=48.0)
    say(telemetry, "unit-1", clock, temperature_c=49.0)
    say(telemetry, "unit-77", clock)
    telemetry.tick()
    with database.read() as db:
        assert db.query(TelemetryRow).count() == 0
    clock.pass_by(seconds=6)
    telemetry.tick()
    with database.read() as db:
        (row,) = db.query(TelemetryRow)
    assert (row.unit_id, row.figures["temperature_c"], row.at) == (
        "unit-1",
        49.0,
        clock.now - timedelta(seconds=6),
    )
    assert "memory_used_mib" not in row.figures


def test_what_prometheus_reads(telemetry: FleetTelemetry, database: Database, clock: Any) -> None:
    say(telemetry, "unit-1", clock, disk_free_mib=512.0, clock_synchronised=False)
    telemetry.write()
    clock.pass_by(seconds=30)
    with database.write() as db:
        unit, report = db.get_one(Unit, "unit-1"), db.get_one(UnitReport, "unit-1")
        unit.config_rev, report.config_rev = 3, 2
        unit.schedule_rev = report.schedule_rev = 7
        report.schedule_epoch, report.schedule_outcome = unit.schedule_epoch, "accepted"
        report.state, report.heard_at = "ready", clock.now - timedelta(seconds=5)
        report.info = {"certificate_not_after": (clock.now + timedelta(days=30)).isoformat()}
        db.add(
            Notice(
                channel="email",
                kind="fault",
                room_id="east",
                unit_id="unit-1",
                fault_id=1,
                instruction="camera",
                level="fail",
                since=clock.now,
                state="failed",
                next_try_at=clock.now,
                made_at=clock.now,
            )
        )
        db.add(Revocation(unit_id="unit-2", at=clock.now, by="acc", reason=""))
        db.add(
            CommandRow(
                id="c1",
                unit_id="unit-1",
                name="locate",
                made_at=clock.now,
                expires_at=clock.now,
                changed_at=clock.now,
            )
        )
    worker = WorkerFigures(lambda: 4, lambda: True, tick_s=0.25, ticked_at=clock.now)
    lines = FleetMetrics(database, clock, worker).text().decode().splitlines()
    of_unit = '{room="east",unit="unit-1"}'
    for line in (
        'halsorum_unit_state{room="east",state="ready",unit="unit-1"} 1.0',
        'halsorum_unit_state{room="",state="revoked",unit="unit-2"} 1.0',
        f"halsorum_unit_heard_age_seconds{of_unit} 5.0",
        f"halsorum_unit_config_current{of_unit} 0.0",
        f"halsorum_unit_schedule_current{of_unit} 1.0",
        f"halsorum_unit_certificate_days_left{of_unit} 30.0",
        f"halsorum_unit_disk_free_mib{of_unit} 512.0",
        f"halsorum_unit_clock_synchronised{of_unit} 0.0",
        f"halsorum_unit_figures_age_seconds{of_unit} 30.0",
        'halsorum_notices{channel="email",state="failed"} 1.0',
        'halsorum_notices{channel="webhook",state="failed"} 0.0',
        'halsorum_units{state="ready"} 1.0',
        'halsorum_commands{state="sent"} 1.0',
        "halsorum_region_queue_length 4.0",
        "halsorum_region_broker_up 1.0",
        "halsorum_region_tick_seconds 0.25",
        "halsorum_region_tick_age_seconds 0.0",
    ):
        assert line in lines, line
