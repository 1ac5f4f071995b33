"""A region with many units in it: certificates and rows made in bulk, then the real broker and the real region."""

from __future__ import annotations

import hashlib
import json
import resource
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select, update

from provisioning.accounts import Clients
from provisioning.broker import Broker
from provisioning.broker_files import write_files
from provisioning.database import Database
from provisioning.models import BookedSession, Clinic, OutboxRow, Room, RoomUnit, Unit, UnitReport
from provisioning.pki import Authority
from tests.system.stack import free_port

ROOMS_PER_CLINIC = 40
SESSIONS_PER_ROOM = 8
"""In the coming days: a schedule of some 4 KB, as a busy room's."""
SPARE_DESCRIPTORS = 500
START_WITHIN_S = 60.0
STOP_WITHIN_S = 15.0
SETTINGS = """
database_url = {database}
state_dir = {folder}
log_level = "WARNING"
[broker]
port = {broker_port}
ca_file = {ca}
certificate_file = {certificate}
key_file = {key}
[web]
port = {web_port}
public_url = "http://127.0.0.1:{web_port}"
"""


class SiteError(RuntimeError):
    """The bench cannot run; the text says why and what to do."""


def allow_descriptors(units: int) -> None:
    """Let broker and swarms open a socket for each unit; raises SiteError if this machine does not."""
    wanted = units + SPARE_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard not in {resource.RLIM_INFINITY} and hard < wanted:
        raise SiteError(
            f"{units} units need {wanted} open files, and this machine allows {hard}. Raise it "
            f"(ulimit -Hn {wanted}, or LimitNOFILE= in systemd), or take fewer: UNITS={hard - SPARE_DESCRIPTORS}."
        )
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@dataclass
class Site:
    """Everything but the units themselves. Use start() and stop()."""

    folder: Path
    count: int
    database_url: str
    profile: Path | None = None

    def __post_init__(self) -> None:
        """Make certificates, configuration and rows."""
        self.identities = self.folder / "identities"
        authority = Authority(self.folder / "pki")
        server, region = authority.server(), authority.client("region")
        self.names = [f"unit-{number:04}" for number in range(self.count)]
        self.units = [(name, authority.client(name, self.identities).sha256) for name in self.names]
        self.broker_port, self.web_port = free_port(), free_port()
        self.broker = Broker(
            write_files(self.folder / "broker", server, port=self.broker_port), server, port=self.broker_port
        )
        self.database = Database(self.database_url)
        self.database.create()
        fill(self.database, self.names)
        self.token = Clients(self.database).add("Tidbok", clinic_name(0))[1]
        values = {
            "database": self.database_url,
            "folder": str(self.folder),
            "ca": str(region.ca_file),
            "certificate": str(region.certificate_file),
            "key": str(region.key_file),
        }
        quoted = {name: json.dumps(value) for name, value in values.items()}
        text = SETTINGS.format(broker_port=self.broker_port, web_port=self.web_port, **quoted)
        (self.folder / "region.toml").write_text(text)
        self.region: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Broker and region, until both answer."""
        self.broker.start()
        self.start_region()

    def start_region(self) -> None:
        """The region's service as a process of its own."""
        module = ["tests.bench.fleet.profiled_region"] if self.profile else ["provisioning.server"]
        command = [sys.executable, "-m", *module, "--settings", str(self.folder / "region.toml")]
        if self.profile:
            command += ["--profile", str(self.profile)]
        with (self.folder / "region.log").open("ab") as log:
            self.region = subprocess.Popen(command, stdout=log, stderr=log)
        until = time.monotonic() + START_WITHIN_S
        while not self._answers():
            if self.region.poll() is not None or time.monotonic() > until:
                raise SiteError(f"The region does not answer. Its last words:\n{self.log_text()[-2000:]}")
            time.sleep(0.05)

    def stop_region(self, number: int = signal.SIGTERM) -> None:
        """By SIGTERM, or as told."""
        assert self.region is not None
        if self.region.poll() is None:
            self.region.send_signal(number)
            try:
                self.region.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self.region.kill()
                self.region.wait()

    def stop(self) -> None:
        """In the reverse order."""
        if self.region is not None:
            self.stop_region()
        self.broker.stop()
        self.database.close()

    def log_text(self) -> str:
        """What the region said."""
        return (self.folder / "region.log").read_text(errors="replace")

    def revisions(self) -> dict[str, tuple[int, int]]:
        """Which schedule each unit is to hold, as the region has it."""
        with self.database.read() as db:
            rows = db.execute(select(Unit.id, Unit.schedule_epoch, Unit.schedule_rev)).all()
        return {name: (epoch, rev) for name, epoch, rev in rows}

    def states(self) -> dict[str, int]:
        """How many units the region shows in each state; `right`: with the schedule it wants."""
        with self.database.read() as db:
            query = select(UnitReport.state, func.count()).group_by(UnitReport.state)
            shown: dict[str, int] = {row[0]: row[1] for row in db.execute(query)}
            right = (
                select(func.count())
                .select_from(UnitReport)
                .join(Unit, Unit.id == UnitReport.unit_id)
                .where(Unit.schedule_rev == UnitReport.schedule_rev)
                .where(Unit.schedule_epoch == UnitReport.schedule_epoch, Unit.schedule_rev > 0)
            )
            return {**shown, "right": db.scalar(right) or 0}

    def shown_lost(self, names: list[str]) -> int:
        """How many of these the region shows as lost."""
        with self.database.read() as db:
            query = select(func.count()).select_from(UnitReport).where(UnitReport.unit_id.in_(names))
            return db.scalar(query.where(UnitReport.state == "lost")) or 0

    def change_all(self, names: list[str]) -> None:
        """One session of each of these units' rooms is moved, in one transaction, as a booking system would."""
        rooms = [room_of(name) for name in names]
        with self.database.write() as db:
            first = select(func.min(BookedSession.sid)).where(BookedSession.room_id.in_(rooms))
            chosen = list(db.scalars(first.group_by(BookedSession.room_id)))
            for sid in chosen:
                row = db.get_one(BookedSession, sid)
                row.end, row.version = row.end + timedelta(minutes=1), row.version + 1
            db.execute(insert(OutboxRow), [{"unit_id": name, "what": "schedule"} for name in names])

    def book(self, unit: str, number: int) -> float:
        """Book a session by FHIR as a booking system does; when it was asked for, by CLOCK_MONOTONIC."""
        start = _today() + timedelta(days=2, hours=14, minutes=30 * number)
        appointment = {
            "resourceType": "Appointment",
            "status": "booked",
            "identifier": [{"system": "urn:bench", "value": secrets.token_hex(8)}],
            "start": start.isoformat(),
            "end": (start + timedelta(minutes=20)).isoformat(),
            "participant": [
                {"actor": {"reference": f"Location/{room_of(unit)}"}, "status": "accepted"},
            ],
        }
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.web_port}/fhir/Appointment",
            data=json.dumps(appointment).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/fhir+json"},
        )
        asked_at = time.monotonic()
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 201, answer.status
        return asked_at

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.web_port}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def fill(database: Database, names: list[str]) -> None:
    """Units, each in a room of its own with a week's sessions."""
    now = datetime.now(UTC)
    clinics = -(-len(names) // ROOMS_PER_CLINIC)
    with database.write() as db:
        db.execute(insert(Clinic), [{"name": clinic_name(number)} for number in range(clinics)])
        ids = {name: number for number, name in db.execute(select(Clinic.id, Clinic.name)).all()}
        db.execute(
            insert(Unit),
            [{"id": name, "added_at": now, "config": _config(name), "config_rev": 1} for name in names],
        )
        db.execute(insert(UnitReport), [{"unit_id": name} for name in names])
        rooms = [
            {
                "id": room_of(name),
                "name": f"Hälsorum {number}",
                "clinic_id": ids[clinic_name(number // ROOMS_PER_CLINIC)],
                "unit_id": name,
            }
            for number, name in enumerate(names)
        ]
        db.execute(insert(Room), rooms)
        db.execute(
            insert(RoomUnit), [{"room_id": room_of(name), "unit_id": name, "since": now} for name in names]
        )
        sessions = [_session(name, number) for name in names for number in range(SESSIONS_PER_ROOM)]
        db.execute(insert(BookedSession), sessions)
        db.execute(update(Unit).values(config_epoch=1))


def clinic_name(number: int) -> str:
    """Made up."""
    return f"Vårdcentral {number}"


def room_of(unit: str) -> str:
    """The room a unit stands in."""
    return unit.replace("unit", "rum")


def _config(name: str) -> Mapping[str, Any]:
    others = [{"id": f"rum-{number}", "name": f"Hälsorum {number}"} for number in range(10)]
    return {"room_name": room_of(name), "phone": "0771-11 22 33", "languages": ["sv", "en"], "rooms": others}


def _session(name: str, number: int) -> dict[str, Any]:
    start = _today() + timedelta(days=1 + number // 4, hours=8 + number % 4)
    digest = hashlib.sha256(f"{name} {number}".encode()).hexdigest()
    return {
        "sid": digest[:12],
        "ref": f"A{number + 10}",
        "room_id": room_of(name),
        "start": start,
        "end": start + timedelta(minutes=30),
        "kind": "booked",
        "party_role": "clinician",
        "language": "sv",
        "methods": ["code", "qr", "staff"],
        "waiting_room": True,
        "cancelled": False,
        "state": "booked",
        "salt": digest[:32],
        "code_digest": digest,
        "token_digest": digest,
        "version": 1,
        "published_version": 0,
        "published_rev": 0,
    }


def _today() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
