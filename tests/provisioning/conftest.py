"""One clinic with a room and a unit in it, a clock that is moved by hand, and a broker that remembers."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import argon2
import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import load_pem_private_key

import provisioning.accounts
from agent.contract import Topic, decode, schedule
from agent.contract.events import GENESIS, Event, event_hash
from provisioning.accounts import Accounts, Clients
from provisioning.booking import Booker, Bookings
from provisioning.database import Database
from provisioning.pki import Authority
from provisioning.rooms import Rooms
from web.clinic.services import BookingRequest

ZONE = ZoneInfo("Europe/Stockholm")
CLINIC = "Norra vårdcentralen"
QUICK_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass
class Clock:
    """Time that passes when told to."""

    now: datetime = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **duration: float) -> None:
        self.now += timedelta(**duration)


class PlayedLink:
    """Stands for agent.link.Link."""

    def __init__(self, wire: Any) -> None:
        self.publish = wire.publish
        self.up = True

    def start(self) -> None:
        """Nothing to connect to."""

    def stop(self) -> None:
        """Nothing to disconnect from."""


@dataclass
class Wire:
    """What was published, None for what was cleared; `up` says whether the broker is there."""

    up: bool = True
    sent: list[tuple[Topic, Any]] = field(default_factory=list)

    def publish(self, topic: Topic, payload: bytes) -> bool:
        if self.up:
            # An empty payload clears what the broker keeps.
            self.sent.append((topic, decode(str(topic), payload) if payload else None))
        return self.up

    def take(self, channel: str) -> list[Any]:
        found = [message for topic, message in self.sent if topic.channel == channel]
        self.sent = [(topic, message) for topic, message in self.sent if topic.channel != channel]
        return found

    def link(self) -> PlayedLink:
        return PlayedLink(self)


@dataclass
class UnitHand:
    """Writes events as a unit does, with its key."""

    name: str
    key: ec.EllipticCurvePrivateKey
    epoch: int = 1
    seq: int = 0
    prev: str = GENESIS

    def event(
        self, kind: str, at: datetime, sid: str | None = None, **fields: str | int | float | bool
    ) -> Event:
        self.seq += 1
        content: dict[str, Any] = dict(fields)
        digest = event_hash(
            epoch=self.epoch,
            seq=self.seq,
            prev=self.prev,
            at=at.astimezone(UTC).isoformat(),
            kind=kind,
            sid=sid,
            fields=content,
        )
        signature = self.key.sign(bytes.fromhex(digest), ec.ECDSA(utils.Prehashed(hashes.SHA256())))
        made = Event.model_validate(
            {
                "epoch": self.epoch,
                "seq": self.seq,
                "prev": self.prev,
                "at": at,
                "kind": kind,
                "sid": sid,
                "fields": content,
                "hash": digest,
                "signature": base64.b64encode(signature).decode(),
            }
        )
        self.prev = digest
        return made


@pytest.fixture(autouse=True)
def quick_digests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Digests of codes and passwords are slow by design; here their strength is not what is tested."""
    monkeypatch.setattr(schedule, "CODE_DIGEST_MEMORY_KIB", 8)
    monkeypatch.setattr(schedule, "CODE_DIGEST_PASSES", 1)
    for module in (provisioning.accounts, argon2):
        monkeypatch.setattr(module, "PasswordHasher", lambda: QUICK_HASHER)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def furnish(url: str, authority: Authority) -> None:
    """Rooms `east` and `west`; unit-1 stands in east, unit-2 nowhere."""
    database = Database(url)
    database.create()
    made = Rooms(database, Clock())
    for unit in ("unit-1", "unit-2"):
        made.add_unit(unit, authority.client(unit).certificate_file.read_bytes())
    for room in ("east", "west"):
        made.add_room(room, room.title(), CLINIC)
    made.assign("east", "unit-1")
    database.close()


class SqliteFiles:
    """The database of each test is a copy of a file."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self._furnished, self.file = folder / "furnished.db", folder / "kept" / "region.db"
        self.file.parent.mkdir()
        self.url = f"sqlite:///{self.file}"
        furnish(f"sqlite:///{self._furnished}", authority)

    def begin(self) -> None:
        shutil.copy(self._furnished, self.file)

    def end(self) -> None:
        for left in self.file.parent.iterdir():
            left.unlink()


class PostgreSqlCopies:
    """The rows of one database are put back before each test: quicker than making the database anew."""

    def __init__(self, server: Any, authority: Authority) -> None:
        self.url = server.new_database("kept")
        furnish(self.url, authority)
        self._db = server.connect("kept")
        names = [
            row[0] for row in self._db.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ]
        self._db.execute("CREATE SCHEMA furnished")
        for name in names:
            self._db.execute(f'CREATE TABLE furnished."{name}" AS TABLE public."{name}"')
        # As a replica: foreign keys are not looked at meanwhile.
        self._again = "BEGIN; SET LOCAL session_replication_role = replica;"
        for name in names:
            self._again += f'DELETE FROM public."{name}";'
            self._again += f'INSERT INTO public."{name}" SELECT * FROM furnished."{name}";'
        for name, last in self._db.execute("SELECT sequencename, last_value FROM pg_sequences"):
            begin = f"{last}, true" if last else "1, false"
            self._again += f"SELECT setval('{name}', {begin});"
        self._again += "COMMIT"

    def begin(self) -> None:
        self._db.execute(self._again)

    def end(self) -> None:
        """The next begin removes what was left."""


@pytest.fixture(scope="session")
def copies(
    tmp_path_factory: pytest.TempPathFactory, authority: Authority
) -> Iterator[SqliteFiles | PostgreSqlCopies]:
    """HALSORUM_TESTS_DATABASE=postgresql runs all that uses `database` against a PostgreSQL of its own."""
    if os.environ.get("HALSORUM_TESTS_DATABASE") != "postgresql":
        yield SqliteFiles(tmp_path_factory.mktemp("databases"), authority)
        return
    from tests.system.postgresql import postgresql

    with postgresql() as server:
        yield PostgreSqlCopies(server, authority)


@pytest.fixture(scope="session")
def kept_database(copies: SqliteFiles | PostgreSqlCopies) -> Database:
    """One for all tests, since SQLAlchemy then writes each statement once; its content is each test's own."""
    return Database(copies.url)


@pytest.fixture
def database_url(kept_database: Database, copies: SqliteFiles | PostgreSqlCopies) -> Iterator[str]:
    copies.begin()
    yield copies.url
    if isinstance(copies, SqliteFiles):
        kept_database.close()
    copies.end()


@pytest.fixture
def database_file(copies: SqliteFiles | PostgreSqlCopies, database_url: str) -> Path:
    """For tests that look for canaries in the file itself."""
    if isinstance(copies, PostgreSqlCopies):
        pytest.skip("PostgreSQL's files are not looked into")
    return copies.file


@pytest.fixture
def database(kept_database: Database, database_url: str) -> Database:
    return kept_database


@pytest.fixture
def rooms(database: Database, clock: Clock) -> Rooms:
    return Rooms(database, clock)


@pytest.fixture
def unit_hand(authority: Authority, rooms: Rooms) -> UnitHand:
    key = load_pem_private_key(authority.client("unit-1").key_file.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return UnitHand("unit-1", key)


@pytest.fixture
def bookings(database: Database, clock: Clock, rooms: Rooms) -> Bookings:
    return Bookings(database, clock, ZONE)


@pytest.fixture
def booker(rooms: Rooms) -> Booker:
    return Booker("acc1", "clinician", "account", rooms.rooms()[0].clinic_id)


@pytest.fixture
def accounts(database: Database, clock: Clock) -> Accounts:
    return Accounts(database, clock, QUICK_HASHER)


@pytest.fixture
def clients(database: Database) -> Clients:
    return Clients(database)


def request(clock: Clock, *, hours: float = 1, minutes: float = 30, **changes: Any) -> BookingRequest:
    """A booking of room east that begins in so many hours and lasts so many minutes."""
    start = clock.now + timedelta(hours=hours)
    values: dict[str, Any] = {"room_id": "east", "start": start, "end": start + timedelta(minutes=minutes)}
    return BookingRequest(**(values | changes))


@pytest.fixture
def wanted() -> Any:
    return request
