"""Messages that break the contract, over real TLS, to region and unit: nothing falls, nothing is repeated.

The tester has a unit's certificate of its own, and once, while the region is held still, the region's.
"""

from __future__ import annotations

import json
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.contract import PREFIX, Message, Topic, decode, down_filter, encode, up_filter
from agent.contract.events import Event
from agent.contract.schedule import ScheduleReport
from agent.contract.status import Status
from agent.identity import load_identity
from agent.link import Link, LinkSettings
from agent.outbox import Outbox
from agent.store import Store
from provisioning.models import Unit, UnitReport
from provisioning.pki import Authority, Credentials
from tests.system.stack import Stack
from tests.system.visit import all_kinds, book, command, database, until

pytestmark = pytest.mark.end_to_end

CANARY = "kanarie191212121212"
OVERSIZED = 262_145
"""One more than the contract's bodies may have; the broker lets it through."""
TOO_LARGE_FOR_THE_BROKER = 400_000


class Voice:
    """Says anything to the broker, and keeps what it is told."""

    def __init__(self, credentials: Credentials, port: int, filters: str) -> None:
        self.received: queue.Queue[Message] = queue.Queue()
        self.ups: queue.Queue[bool] = queue.Queue()
        identity = (credentials.ca_file, credentials.certificate_file, credentials.key_file)
        self.link = Link(
            LinkSettings("localhost", port, credentials.name, *identity, (filters,)),
            on_message=self._keep,
            on_connection=self.ups.put,
        )

    def _keep(self, topic: str, payload: bytes) -> None:
        if payload and CANARY.encode() not in payload:
            self.received.put(decode(topic, payload))

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Whatever, where ever."""
        self.link._client.publish(topic, payload, qos=1, retain=retain)

    def next(self, channel: str, timeout_s: float = 20) -> Message:
        """The next message on a channel."""
        while (message := self.received.get(timeout=timeout_s)).topic.channel != channel:
            pass
        return message


@contextmanager
def voice_of(stack: Stack, name: str, filters: str) -> Iterator[Voice]:
    made = Voice(Authority(stack.state / "pki").client(name), stack.ports["broker"], filters)
    made.link.start()
    assert made.ups.get(timeout=20)
    yield made
    made.link.stop()


def envelope(data: Any, **more: Any) -> bytes:
    now = datetime.now(UTC).isoformat()
    return json.dumps({"v": 1, "id": "a-test", "ts": now, "data": data, **more}).encode()


def bad_bodies(field: str) -> dict[str, bytes]:
    """Bodies that no channel takes, by what the log is to name."""
    return {
        "body: ": b'{"v":1,"' + CANARY.encode(),
        "body: is larger": envelope({field: CANARY, "filling": "x" * OVERSIZED}),
        "v: ": envelope({field: CANARY}, v=2),
        "ts: ": envelope({field: CANARY}, ts=CANARY),
        "data: ": envelope([CANARY]),
        f"{field}: ": envelope({field: [CANARY]}),
    }


UNKNOWN = ["up/nonsense", "up/status/more", "up/call/K%C3%84/x", "up/event/not-a-kind"]


def test_the_region_drops_what_breaks_the_contract(stack: Stack, tmp_path: Path) -> None:
    credentials = Authority(stack.state / "pki").client("unit-2")
    command(stack, "unit", "add", "unit-2", "--certificate", str(credentials.certificate_file))
    region = stack.system["pids"]["region"]
    with voice_of(stack, "unit-2", down_filter("unit-2")) as unit:
        mine = f"{PREFIX}/unit-2"
        for payload in bad_bodies("state").values():
            unit.say(f"{mine}/up/status", payload)
        for topic in UNKNOWN:
            unit.say(f"{mine}/{topic}", envelope({"state": CANARY}))
        unit.say(f"{mine}/up/status", envelope({"state": "ready", "boot": 1, "filling": CANARY}))
        assert unit.next("dn/ack").data.seq == 0

        first, second = events(tmp_path, credentials)
        changed = first.model_copy(update={"fields": {"boot": 7}})
        for event in (changed, first, first, second, first):
            unit.say(str(Topic("unit-2", "up/event", (event.kind,))), encode(event, now=event.at))
        while unit.next("dn/ack").data.seq != 2:
            pass

        unit.say(f"{mine}/up/status", b"x" * TOO_LARGE_FOR_THE_BROKER)
        assert unit.ups.get(timeout=20) is False
        assert unit.ups.get(timeout=20) is True
        unit.link.publish(Topic("unit-2", "up/status"), encode(Status(state="ready", boot=2), now=first.at))
        unit.next("dn/ack")

    said = stack.log("region")
    for field in bad_bodies("state"):
        assert f"message dropped: {PREFIX}/unit-2/up/status: {field}" in said
    assert said.count("message dropped: topic: ") == len(UNKNOWN)
    assert CANARY not in said + stack.log("broker")
    assert "Traceback" not in said
    assert stack.system["pids"]["region"] == region
    kept = [fields["boot"] for kind, fields in all_kinds(stack) if kind == "unit_started"]
    assert kept.count(98) == kept.count(99) == 1
    assert 7 not in kept
    assert command(stack, "log", "verify")["ok"] is True


def events(folder: Path, credentials: Credentials) -> tuple[Event, Event]:
    """Two events as a unit makes and signs them."""
    identity = load_identity(credentials.certificate_file, credentials.key_file)
    outbox = Outbox(Store(folder / "unit.db"), identity.sign, datetime.now(UTC))
    now = datetime.now(UTC)
    return outbox.add("unit_started", now, fields={"boot": 98}), outbox.add(
        "unit_started", now, fields={"boot": 99}
    )


@pytest.mark.long
def test_the_unit_drops_what_breaks_the_contract_and_reports_bad_sessions_one_by_one(stack: Stack) -> None:
    booked = book(stack)
    unit = stack.system["pids"]["unit"]
    with stack.paused("region"), voice_of(stack, "region", up_filter()) as region:
        mine = f"{PREFIX}/unit-1"
        before: ScheduleReport = region.next("up/schedule").data
        for channel, field in (("dn/schedule", "epoch"), ("dn/ack", "epoch"), ("dn/config", "phone")):
            for payload in bad_bodies(field).values():
                region.say(f"{mine}/{channel}", payload)
        region.say(f"{mine}/dn/nonsense", envelope({"state": CANARY}))
        region.say(f"{mine}/dn/call/{booked.sid}/unit", envelope({"type": CANARY, "instance": "x", "seq": 1}))

        plan = schedule(before.epoch)
        region.say(f"{mine}/dn/schedule", envelope(plan, rev=before.rev + 1))
        # What the unit said before may come twice: kept by the broker, and queued for the region's name.
        while (report := region.next("up/schedule").data).rev == before.rev:
            pass
        assert (report.outcome, report.rev) == ("accepted", before.rev + 1)
        rejected = {item.sid: item.field for item in report.rejected}
        assert rejected == {"overlapping1": "start", "endsbefore1": "session", "?": "sid"}
        # Replayed, and an older one: neither is taken again, so the next word is of the one after them.
        for rev in (before.rev + 1, before.rev):
            region.say(f"{mine}/dn/schedule", envelope(plan, rev=rev))
        region.say(f"{mine}/dn/schedule", envelope(plan, rev=before.rev + 2))
        assert region.next("up/schedule").data.rev == before.rev + 2

    said = stack.log("unit")
    for field in bad_bodies("epoch"):
        assert f"message refused: dn/schedule: {field}" in said
    assert "message refused: dn/call: " in said
    assert "message refused: topic: channel" in said
    assert CANARY not in said + stack.log("broker") + (
        stack.state / "unit/state/unit.db"
    ).read_bytes().decode(errors="replace")
    assert "Traceback" not in said
    assert stack.system["pids"]["unit"] == unit
    until(
        lambda: ("session_failed", {"reason": "past_at_first_sight"}) in all_kinds(stack), "the past session"
    )
    until(lambda: unit_has_the_regions_schedule(stack, before.epoch), "the region's own schedule at the unit")


def schedule(epoch: int) -> dict[str, Any]:
    """One that is good and one of each that is not."""
    now = datetime.now(UTC).replace(microsecond=0)

    def session(sid: str, start_min: float, end_min: float) -> dict[str, Any]:
        start, end = (now + timedelta(minutes=minutes) for minutes in (start_min, end_min))
        return {
            "sid": sid,
            "ref": "A1",
            "start": start.isoformat(),
            "end": end.isoformat(),
            "with": {"clinic": "Vårdcentralen"},
        }

    return {
        "epoch": epoch,
        "valid_until": (now + timedelta(days=7)).isoformat(),
        "salt": "0" * 32,
        "sessions": [
            session("goodsession1", 100, 130),
            session("overlapping1", 120, 150),
            session("endsbefore1", 200, 190),
            session(CANARY.upper(), 300, 310),
            session("pastsession1", -60, -30),
        ],
    }


def unit_has_the_regions_schedule(stack: Stack, epoch: int) -> bool:
    """The region, which knows less than the unit, has begun a new epoch, and the unit follows it."""
    with database(stack) as db:
        unit, report = db.get_one(Unit, "unit-1"), db.get_one(UnitReport, "unit-1")
        ours = (unit.schedule_epoch, unit.schedule_rev)
        return unit.schedule_epoch > epoch and ours == (report.schedule_epoch, report.schedule_rev)
