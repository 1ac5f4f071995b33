"""A fleet that connects at once: its reports are kept in one transaction, and each is answered after it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from agent.contract import Topic, encode
from agent.contract.schedule import ScheduleReport
from agent.contract.status import Status
from provisioning.database import Database
from provisioning.models import Clinic, UnitReport
from provisioning.region import Region
from provisioning.rooms import Rooms
from provisioning.settings import BrokerSettings, RegionSettings


@pytest.fixture
def region(
    tmp_path: Path, database: Database, rooms: Rooms, clock: Any, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Region]:
    broker = BrokerSettings(ca_file=tmp_path, certificate_file=tmp_path, key_file=tmp_path)
    monkeypatch.setattr("provisioning.region.Database", lambda url: {"url:": database}[url])
    settings = RegionSettings(database_url="url:", state_dir=tmp_path, broker=broker)
    made = Region(settings, clock=clock, make_link=lambda *_, **__: wire.link())
    yield made
    made.stop()


def status(region: Region, state: Any = "ready", unit: str = "unit-1") -> tuple[str, bytes]:
    return str(Topic(unit, "up/status")), encode(Status(state=state, boot=1), now=region.clock())


def report(region: Region, rev: int) -> tuple[str, bytes]:
    body = ScheduleReport(epoch=1, rev=rev, sha256="0" * 64, outcome="accepted")
    return str(Topic("unit-1", "up/schedule")), encode(body, now=region.clock())


def shown(database: Database) -> tuple[str, int]:
    with database.read() as db:
        row = db.get_one(UnitReport, "unit-1")
        return row.state, row.schedule_rev


def counted(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []
    together = database.together

    def count() -> Any:
        seen.append("together")
        return together()

    monkeypatch.setattr(database, "together", count)
    return seen


def test_reports_in_a_row_are_one_transaction_and_are_answered_when_it_is_kept(
    region: Region, database: Database, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    transactions = counted(database, monkeypatch)
    kept: list[tuple[str, int]] = []
    monkeypatch.setattr(type(region.inbox), "acknowledge", lambda *_: kept.append(shown(database)))
    region.inbox.handle_all([status(region), report(region, 7), report(region, 8)], region._guarded)
    assert transactions == ["together"]
    assert kept == [("ready", 8)]  # seen by another transaction at the moment of the answer


def test_one_that_cannot_be_kept_costs_no_other(
    region: Region, database: Database, wire: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    keep = type(region.schedules).keep_report

    def fails_at_nine(schedules: Any, unit: str, told: ScheduleReport) -> bool:
        if told.rev == 9:
            raise ValueError("Kanarie")
        return keep(schedules, unit, told)

    monkeypatch.setattr(type(region.schedules), "keep_report", fails_at_nine)
    messages = [status(region), report(region, 9), report(region, 7)]
    region.inbox.handle_all(messages, region._guarded)
    assert shown(database) == ("ready", 7)
    assert len(wire.take("dn/ack")) == 1
    assert "reports are kept one by one: ValueError at" in caplog.text
    assert "Kanarie" not in caplog.text


def test_order_is_kept_between_reports_and_the_rest(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    inbox = type(region.inbox)

    def note(name: str) -> Callable[..., None]:
        return lambda *_: order.append(name)

    monkeypatch.setattr("provisioning.inbox._HANDLERS", {"up/event/telemetry": note("telemetry")})
    monkeypatch.setattr(inbox, "acknowledge", note("answer"))
    figures = encode(Status(state="ready", boot=1), now=region.clock()).replace(
        b'"state":"ready","boot":1', b'"at":"2026-11-23T08:00:00Z","uptime_s":1'
    )
    telemetry = (str(Topic("unit-1", "up/event/telemetry")), figures)
    items = [status(region), telemetry, status(region), status(region, "degraded"), ("bad", b"{}")]
    region.inbox.handle_all(items, region._guarded)
    assert order == ["answer", "telemetry", "answer", "answer"]


def test_what_is_written_together_is_read_inside_and_kept_whole_or_not_at_all(database: Database) -> None:
    def names() -> list[str]:
        with database.read() as db:
            return list(db.scalars(select(Clinic.name).where(Clinic.name.like("Östra%"))))

    def add(name: str) -> None:
        with database.write() as db:
            db.add(Clinic(name=name))

    with pytest.raises(RuntimeError), database.together():
        add("Östra 1")
        assert names() == ["Östra 1"]
        raise RuntimeError
    assert names() == []
    with database.together():
        add("Östra 1")
        add("Östra 2")
    assert names() == ["Östra 1", "Östra 2"]
    add("Östra 3")
    assert len(names()) == 3


def test_on_connecting_the_worker_publishes_for_every_unit(region: Region, wire: Any) -> None:
    published = threading.Event()
    publish = region.schedules._publish

    def note(topic: Topic, payload: bytes) -> bool:
        if str(topic) == "hr/v1/u/unit-2/dn/schedule":
            published.set()
        return publish(topic, payload)

    region.schedules._publish = note
    region.start()
    region._queue.put(True)
    assert published.wait(20)
