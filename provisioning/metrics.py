"""The fleet's and the region's own figures for Prometheus; read from the database when asked for. No persons.

Labels are a unit's name, its room's id, states and kinds: few, and none of them changes with a session.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from provisioning.database import Database
from provisioning.fleet_models import CommandRow, Enrolment, Revocation, TelemetryRow
from provisioning.models import Room, Unit, UnitReport
from provisioning.readiness_models import Notice

PREFIX = "halsorum"
DAY_S = 86_400
FIGURES = {
    "uptime_s": "Seconds since the agent's start.",
    "machine_uptime_s": "Seconds since the machine's start.",
    "processor": "Share of all processors in use.",
    "agent_processor": "The agent's share of one processor.",
    "memory_used_mib": "MiB in use.",
    "memory_total_mib": "MiB there are.",
    "agent_memory_mib": "MiB of the agent.",
    "disk_free_mib": "MiB free for the unit's store.",
    "disk_total_mib": "MiB of that disk.",
    "temperature_c": "Of the hottest zone, degrees Celsius.",
    "throttled": "1: the processor is slowed down by heat or voltage.",
    "under_voltage": "1: the supply's voltage is too low.",
    "broker_connects": "Connections to the broker since the agent's start.",
    "broker_rtt_ms": "Milliseconds until the broker has acknowledged a message.",
    "clock_synchronised": "1: by NTP, as the unit's kernel says.",
    "clock_offset_s": "The unit's clock less the region's, seconds.",
    "events_waiting": "Events in the unit's outbox.",
    "screens": "Touchscreen pages that listen.",
    "sessions": "Sessions in the schedule that the unit holds.",
}


@dataclass(slots=True)
class WorkerFigures:
    """Of the region's worker, which writes them; and of what is around it."""

    queue_length: Callable[[], int] = lambda: 0
    broker_up: Callable[[], bool] = lambda: False
    leads: Callable[[], bool] = lambda: True
    tick_s: float = 0.0
    """How long the last tick took."""
    ticked_at: datetime | None = None
    messages: int = 0


class FleetMetrics(Collector):
    """`text()` may be called on any thread."""

    def __init__(self, database: Database, clock: Callable[[], datetime], worker: WorkerFigures) -> None:
        self._database = database
        self._clock = clock
        self._worker = worker
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def text(self) -> bytes:
        """Everything, in Prometheus' text exposition format."""
        return generate_latest(self._registry)

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: registering must not read the database."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Each figure with all its units."""
        yield from self._of_region()
        with self._database.read() as db:
            rooms = {unit: room for unit, room in db.execute(select(Room.unit_id, Room.id)) if unit}
            yield from self._of_units(db, rooms)
            yield from self._of_telemetry(db, rooms)
            yield from _counts(db)

    def _of_region(self) -> Iterator[Metric]:
        worker, now = self._worker, self._clock()
        age_s = (now - worker.ticked_at).total_seconds() if worker.ticked_at else float("nan")
        for name, value, about in (
            ("leads", worker.leads(), "1: this instance acts; 0: it stands by."),
            ("broker_up", worker.broker_up(), "1: connected to the broker."),
            ("queue_length", worker.queue_length(), "Messages that the worker has not come to yet."),
            ("messages", worker.messages, "Messages worked off since the start."),
            ("tick_seconds", worker.tick_s, "How long the worker's last tick took."),
            ("tick_age_seconds", age_s, "Since the worker's last tick."),
        ):
            yield _one(f"region_{name}", about, float(value))

    def _of_units(self, db: Session, rooms: Mapping[str, str]) -> Iterator[Metric]:
        now, revoked = self._clock(), set(db.scalars(select(Revocation.unit_id)))
        states = _family("unit_state", "1 under the state that the unit is in.", "state")
        heard = _family("unit_heard_age_seconds", "Since the unit itself last said anything.")
        config = _family("unit_config_current", "1: the unit has its newest configuration in force.")
        schedule = _family("unit_schedule_current", "1: the unit holds its newest schedule.")
        certificate = _family("unit_certificate_days_left", "Until the unit's certificate expires.")
        faults = _family("unit_faults", "Faults that the unit's self-test has found.")
        counted: Counter[str] = Counter()
        for unit, report in db.execute(select(Unit, UnitReport).join(UnitReport)):
            labels = [unit.id, rooms.get(unit.id, "")]
            state = "revoked" if unit.id in revoked else report.state
            counted[state] += 1
            states.add_metric([*labels, state], 1)
            faults.add_metric(labels, len(report.faults))
            if report.heard_at is not None:
                heard.add_metric(labels, (now - report.heard_at).total_seconds())
            wanted = (unit.config_epoch, unit.config_rev)
            config.add_metric(
                labels, (report.config_epoch or 1, report.config_rev) == wanted or not wanted[1]
            )
            ours, theirs = (
                (unit.schedule_epoch, unit.schedule_rev),
                (report.schedule_epoch, report.schedule_rev),
            )
            schedule.add_metric(labels, ours == theirs and report.schedule_outcome != "rejected")
            until = _instant(report.info.get("certificate_not_after"))
            if until is not None:
                certificate.add_metric(labels, (until - now).total_seconds() / DAY_S)
        yield from (states, heard, config, schedule, certificate, faults)
        yield _by("units", "Units by state.", "state", counted)

    def _of_telemetry(self, db: Session, rooms: Mapping[str, str]) -> Iterator[Metric]:
        now = self._clock()
        families = {name: _family(f"unit_{name}", about) for name, about in FIGURES.items()}
        age = _family("unit_figures_age_seconds", "Since the unit's last figures came.")
        for row in db.scalars(select(TelemetryRow)):
            labels = [row.unit_id, rooms.get(row.unit_id, "")]
            age.add_metric(labels, (now - row.heard_at).total_seconds())
            for name, family in families.items():
                value = row.figures.get(name)
                if isinstance(value, int | float):
                    family.add_metric(labels, float(value))
        yield from families.values()
        yield age


def _counts(db: Session) -> Iterator[Metric]:
    for table, name, about in (
        (CommandRow, "commands", "Commands by state."),
        (Enrolment, "enrolments", "Requests for enrolment by state."),
    ):
        rows = db.execute(select(table.state, func.count()).group_by(table.state))
        yield _by(name, about, "state", {str(state): int(count) for state, count in rows})
    yield _notices(db)


def _notices(db: Session) -> Metric:
    family = GaugeMetricFamily(
        f"{PREFIX}_notices",
        "Notices of rooms that are not ready, by way and state; failed: given up, so that nobody was told.",
        labels=["channel", "state"],
    )
    rows = db.execute(
        select(Notice.channel, Notice.state, func.count()).group_by(Notice.channel, Notice.state)
    )
    counted = {(str(channel), str(state)): int(count) for channel, state, count in rows}
    always = {(channel, state): 0 for channel in ("email", "webhook") for state in ("failed", "waiting")}
    for labels, count in sorted((always | counted).items()):
        family.add_metric(labels, count)
    return family


def _family(name: str, about: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", about, labels=["unit", "room", *labels])


def _one(name: str, about: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", about, value=value)


def _by(name: str, about: str, label: str, counts: Mapping[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"{PREFIX}_{name}", about, labels=[label])
    for value, count in sorted(counts.items()):
        family.add_metric([value], count)
    return family


def _instant(text: Any) -> datetime | None:  # noqa: ANN401 - of a JSON object
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
