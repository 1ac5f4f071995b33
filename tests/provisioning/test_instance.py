"""An instance leads or stands by, whatever the database; the lease itself is tried with a real PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from provisioning import instance as instances
from provisioning.instance import STANDBY, Instance
from provisioning.settings import BrokerSettings, RegionSettings
from provisioning.sqlite_lock import AnotherInstance, SqliteLock

WITHIN_S = 10


class FakeLease:
    """Stands for provisioning.lease.Lease."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.held = False
        self.fence: int | None = None
        self.released = False

    def take(self) -> bool:
        if self.free.is_set():
            self.held, self.fence = True, 7
        return self.held

    def renew(self) -> bool:
        return self.held

    def holds(self) -> bool:
        return self.held

    def release(self) -> None:
        self.released = True


class FakeRegion:
    """Stands for provisioning.region.Region."""

    def __init__(self, _settings: RegionSettings, lease: Any) -> None:
        self.lease, self.said = lease, list[str]()
        self.database, self.link, self.turned_at = None, SimpleNamespace(moved_at=2.0), 1.0
        self.started = threading.Event()

    def web_app(self) -> Any:
        def page(_environ: Any, start_response: Any) -> Iterable[bytes]:
            start_response("200 OK", [])
            return [b"page"]

        return SimpleNamespace(wsgi_app=page)

    def start(self) -> None:
        self.started.set()

    def stop(self) -> None:
        self.said.append("stopped")


def settings(folder: Path, url: str) -> RegionSettings:
    broker = BrokerSettings(ca_file=folder, certificate_file=folder, key_file=folder)
    return RegionSettings(database_url=url, state_dir=folder, broker=broker)


def ask(instance: Instance, path: str = "/healthz") -> tuple[str, bytes]:
    said: list[str] = []
    body = b"".join(instance({"PATH_INFO": path}, lambda status, _headers: said.append(status)))  # type: ignore[arg-type]
    return said[0], body


@pytest.fixture
def lease(monkeypatch: pytest.MonkeyPatch) -> FakeLease:
    made = FakeLease()
    monkeypatch.setattr(instances, "Lease", lambda *_: made)
    for name in ("TRY_EVERY_S", "LOOK_EVERY_S", "RENEW_EVERY_S"):
        monkeypatch.setattr(instances, name, 0.001)
    return made


def test_it_stands_by_leads_and_ends_when_it_may_no_longer(tmp_path: Path, lease: FakeLease) -> None:
    lost, regions = threading.Event(), list[FakeRegion]()

    def make(given: RegionSettings, lease: Any) -> Any:
        regions.append(FakeRegion(given, lease))
        return regions[-1]

    instance = Instance(settings(tmp_path, "postgresql://db/region"), lost.set, make)
    instance.start()
    assert ask(instance) == ("503 Service Unavailable", STANDBY)
    assert ask(instance, "/today")[0].startswith("503")
    assert ask(instance, "/metrics")[1].endswith(b"halsorum_region_leads 0.0\n")
    assert regions == []
    assert instance.parts() == []
    lease.free.set()
    while not instance.leads:
        assert not lost.wait(0.001)
    assert regions[0].started.is_set()
    assert ask(instance) == ("200 OK", b"page")
    assert [(part.name, part.moved_at() > 2) for part in instance.parts()] == [
        ("worker", False),
        ("link", False),
        ("database", True),
    ]
    lease.held = False
    assert ask(instance)[0].startswith("503")
    assert lost.wait(WITHIN_S)
    instance.stop()
    assert regions[0].said == ["stopped"]


def test_stopped_in_order_it_gives_the_lease_back_and_loses_nothing(tmp_path: Path, lease: FakeLease) -> None:
    lost = threading.Event()
    lease.free.set()
    made = Instance(settings(tmp_path, "postgres://db/region"), lost.set, FakeRegion)  # type: ignore[arg-type]
    made.start()
    while not made.leads:
        assert not lost.wait(0.001)
    made.stop()
    assert lease.released
    assert not lost.is_set()


def test_a_region_that_cannot_be_started_ends_the_process(tmp_path: Path, lease: FakeLease) -> None:
    lost = threading.Event()
    lease.free.set()

    def fails(_settings: RegionSettings, lease: Any) -> Any:
        raise OSError("no certificate")

    made = Instance(settings(tmp_path, "postgresql+psycopg://db/region"), lost.set, fails)
    made.start()
    assert lost.wait(WITHIN_S)
    made.stop()


def test_with_sqlite_it_leads_at_once_and_a_second_is_told_who_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instances, "LAST_OWNER_MAY_TAKE_S", 0.0)
    given = settings(tmp_path, f"sqlite:///{tmp_path / 'region.db'}")
    first, second = (Instance(given, lambda: None, FakeRegion) for _ in range(2))  # type: ignore[arg-type]
    first.start()
    assert ask(first) == ("200 OK", b"page")
    with pytest.raises(AnotherInstance, match=r"process \d+.*Stop it first"):
        second.start()
    first.stop()
    second.start()
    assert second.leads
    second.stop()


def test_a_database_in_memory_needs_no_lock() -> None:
    assert SqliteLock.take("sqlite://") is None


def test_a_database_s_lock_is_let_go_once_however_often_it_is_told(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'region.db'}"
    lock = SqliteLock.take(url)
    assert lock is not None
    with pytest.raises(AnotherInstance):
        SqliteLock.take(url)
    lock.release()
    again = SqliteLock.take(url)
    assert again is not None
    lock.release()  # closes no file of somebody else that has its number now
    with pytest.raises(AnotherInstance):
        SqliteLock.take(url)
    again.release()
