"""A box's way in, with the real broker, the real region and boxes played over MQTT."""

from __future__ import annotations

import queue
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.door import Box, Door, Voice, until

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with Door(tmp_path_factory.mktemp("door")) as made:
        yield made


def works(door: Door, unit: str) -> bool:
    return door.unit(unit).get("state") == "ready"


def test_the_whole_way_from_the_box_to_a_room(door: Door) -> None:
    door.run("room", "add", "room-a", "--clinic", "Norra")
    box = Box(door, "hs-a1")
    with box.knock() as voice:
        box.ask(voice)
        assert box.answer(voice).state == "waiting"
        (row,) = door.waiting("hs-a1")
        assert (row["unit"], row["at_the_door"], len(row["words"].split())) == ("unit-a1", True, 8)
        began = time.monotonic()
        door.run("enrol", "approve", str(row["id"]), "--unit", "room-a-unit", "--room", "room-a")
        approved = box.answer(voice, "approved")
    assert approved.unit == "room-a-unit"
    with Voice(door, box.keep(approved), door.port) as unit:
        unit.introduce("hs-a1")
        assert unit.next("dn/ack")
        assert unit.next("dn/schedule").data.sessions == ()
        until(lambda: works(door, "room-a-unit"), "the unit works")
        print(f"from approval to a working unit: {time.monotonic() - began:.2f} s")
        until(lambda: door.bootstrap("hs-a1") == "used", "the door closes behind it")
        # First it is in the database; then the kept answer goes and the broker has its rules.
        until(lambda: "hs-a1" in door.files.bootstrap_acl.read_text(), "the broker's rules")
    assert door.unit("room-a-unit")["room"] == "room-a"
    actions = [row["action"] for row in audit_of(door, "room-a-unit")]
    assert "enrolment_approved" in actions and "enrolment_proven" in actions

    # The bootstrap is no good any more: it may connect, and that is all.
    box.new_key()
    with box.knock() as voice:
        box.ask(voice)
        with pytest.raises(queue.Empty):
            voice.next("dn/enrol", 1.0)
    assert door.waiting("hs-a1") == []


def audit_of(door: Door, target: str) -> list[dict[str, str]]:
    from sqlalchemy import select

    from provisioning.database import Database
    from provisioning.fleet_models import AuditEntry

    database = Database(f"sqlite:///{door.folder}/region.db")
    try:
        with database.read() as db:
            rows = db.scalars(select(AuditEntry).where(AuditEntry.target == target)).all()
            return [{"action": row.action, "by": row.by} for row in rows]
    finally:
        database.close()


def test_a_rejected_box_asks_again_and_comes_in(door: Door) -> None:
    box = Box(door, "hs-b1")
    with box.knock() as voice:
        box.ask(voice)
        box.answer(voice, "waiting")
        (row,) = door.waiting("hs-b1")
        door.run("enrol", "reject", str(row["id"]), "--reason", "not ours")
        assert box.answer(voice, "rejected").reason == "not ours"
        box.ask(voice)
        assert box.answer(voice).state == "waiting"
    with Voice(door, box.come_in("unit-b1"), door.port) as unit:
        unit.introduce()
        until(lambda: works(door, "unit-b1"), "the unit works")


def test_an_answer_waits_for_a_box_that_was_away(door: Door) -> None:
    """Its power was cut after it had asked; the broker keeps the answer."""
    box = Box(door, "hs-c1")
    with box.knock() as voice:
        box.ask(voice)
        box.answer(voice, "waiting")
    (row,) = door.waiting("hs-c1")
    door.run("enrol", "approve", str(row["id"]), "--unit", "unit-c1")
    with box.knock() as voice:
        first = box.answer(voice, "approved")
    with box.knock() as voice:  # cut again before it had stored it
        box.ask(voice)
        assert box.answer(voice, "approved").certificate == first.certificate
    assert door.bootstrap("hs-c1") == "armed"
    with Voice(door, box.keep(first), door.port) as unit:
        unit.introduce()
        until(lambda: door.bootstrap("hs-c1") == "used", "the door closes")


@pytest.mark.long
def test_the_region_killed_between_approval_and_proof(door: Door) -> None:
    box = Box(door, "hs-d1")
    with box.knock() as voice:
        box.ask(voice)
        box.answer(voice, "waiting")
        (row,) = door.waiting("hs-d1")
        door.stop_region(signal.SIGKILL)
        door.run("enrol", "approve", str(row["id"]), "--unit", "unit-d1")
        door.start_region()  # signs what it finds approved
        folder = box.keep(box.answer(voice, "approved"))
    door.stop_region(signal.SIGKILL)
    with Voice(door, folder, door.port) as unit:
        unit.introduce()  # nobody hears it; the broker keeps it
        door.start_region()
        assert unit.next("dn/ack", 20)
        until(lambda: door.bootstrap("hs-d1") == "used" and works(door, "unit-d1"), "the unit works")


def test_a_cloned_bootstrap_shows_and_the_clone_stays_outside(door: Door) -> None:
    mine, clone = Box(door, "hs-e1"), Box(door, "hs-e1")
    for box in (mine, clone):  # the broker lets only one of the two in at a time
        with box.knock() as voice:
            box.ask(voice)
            box.answer(voice)
    rows = door.waiting("hs-e1")
    assert [row["state"] for row in rows] == ["waiting, rival"] * 2
    with mine.knock() as voice:
        mine.ask(voice)
        assert mine.answer(voice).state == "conflict"
        number = max(rows, key=lambda row: row["asked_at"])["id"]  # the clone came later
        door.run(
            "enrol", "approve", str(next(r["id"] for r in rows if r["id"] != number)), "--unit", "unit-e1"
        )
        approved = mine.answer(voice, "approved")
    with clone.knock() as voice:
        clone.ask(voice)
        assert "another key" in clone.answer(voice, "conflict").reason
    with mine.knock() as voice:  # what the broker keeps is still for the one that was let in
        assert mine.answer(voice, "approved").certificate == approved.certificate


@pytest.mark.long
def test_a_unit_that_was_away_past_its_expiry_comes_back_through_the_bootstrap(tmp_path: Path) -> None:
    with Door(tmp_path, {"certificate_days": 4 / 86_400}) as door:
        box = Box(door, "hs-f1")
        folder = box.come_in("unit-f1")
        with Voice(door, folder, door.port) as unit:
            unit.introduce()
            until(lambda: door.bootstrap("hs-f1") == "used", "the door closes")
            not_after = unit.identity.not_after.timestamp()
        time.sleep(max(0.0, not_after - time.time() + 0.5))
        gone = Voice(door, folder, door.port)
        gone.link.start()
        with pytest.raises(queue.Empty):  # the broker refuses an expired certificate
            gone.ups.get(timeout=1.5)
        gone.link.stop()

        box.new_key()
        door.run("unit", "arm", "unit-f1")
        until(lambda: "hs-f1" not in door.files.bootstrap_acl.read_text(), "the broker's rules")
        again = box.come_in("unit-f1", why="expired", was="unit-f1")
        with Voice(door, again, door.port) as unit:
            unit.introduce()
            until(lambda: door.bootstrap("hs-f1") == "used", "the door closes again")


def test_a_blocked_serial_number_is_heard_no_more(door: Door) -> None:
    box = Box(door, "hs-g1")
    with box.knock() as voice:
        box.ask(voice)
        box.answer(voice, "waiting")
        door.run("unit", "block", "hs-g1")
        until(lambda: "hs-g1" in door.files.bootstrap_acl.read_text(), "the broker's rules")
        box.new_key()
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            box.ask_in_vain(voice)
            time.sleep(0.1)
    assert door.waiting("hs-g1") == []


def test_the_command_line_makes_a_bootstrap_certificate(door: Door, tmp_path: Path) -> None:
    from tests.provisioning.csr import csr, key_pem, new_key

    key = new_key()
    request = tmp_path / "request.pem"
    request.write_text(csr(key, "hs-h1"))
    made = door.run("bootstrap", "sign", str(request), "--out", str(tmp_path / "bootstrap"))
    assert made["serial"] == "hs-h1"
    (tmp_path / "bootstrap" / "key.pem").write_text(key_pem(key))
    box = Box(door, "hs-h1")
    with Voice(door, tmp_path / "bootstrap", door.bootstrap_port) as voice:
        box.ask(voice)
        assert box.answer(voice).state == "waiting"
