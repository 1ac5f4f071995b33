"""Quality figures at the region: from whom they are taken, what becomes of them, who may see them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from agent.contract.quality import (
    MAX_PARTIES,
    Encoding,
    Machine,
    PageReport,
    PartyQuality,
    QualityReport,
    Received,
    Sent,
)
from agent.contract.signalling import UNIT_PEER
from provisioning import quality as module
from provisioning.meeting_log import of_session
from provisioning.models import QualityCall, QualityRow
from provisioning.quality import Quality
from provisioning.quality_views import calls, course

PEER = "c41f9d2k"
KEPT = timedelta(days=30)


@pytest.fixture
def quality(database, clock):
    return Quality(database, clock, kept=KEPT)


@pytest.fixture
def sid(bookings, booker, clock, wanted):
    return bookings.book(booker, wanted(clock)).sid


def of_unit(sid, at, *, connected=True, frozen_s=0.0, **changes):
    sent, received = Sent(bit_rate=866_000, estimate=1_100_000), Received(bit_rate=702_000, lost=0.01)
    party = PartyQuality(
        peer=PEER, role="clinician", connected=connected, sent=sent, received=received,
        shown=Received(bit_rate=640_000, frame_rate=24.6, freezes=int(frozen_s > 0), frozen_s=frozen_s),
    )  # fmt: skip
    machine = Machine(agent_cpu=0.4, machine_cpu=0.6, memory_mib=160.0)
    main = Encoding(name="full", encoder="libx264", bit_rate=812_000, frame_rate=29.8)
    return QualityReport(
        **{
            "sid": sid,
            "at": at,
            "interval_s": 5.0,
            "machine": machine,
            "encodings": (main,),
            "parties": (party,),
            **changes,
        }
    )


def of_page(age_s=0.0, **changes):
    seen = Received(frame_rate=29.0, freezes=0, frozen_s=0.0, lost=0.0)
    return PageReport(
        **{"age_s": age_s, "interval_s": 5.0, "connected": True, "received": seen, "sent": Sent(), **changes}
    )


def rows(database):
    with database.read() as db:
        return list(db.scalars(select(QualityRow).order_by(QualityRow.at)))


def line(database):
    with database.read() as db:
        return calls(db, None, 10)[0]


def test_a_units_report_is_kept_once_beside_the_log_and_not_in_it(quality, database, clock, sid):
    report = of_unit(sid, clock.now)
    quality.take("unit-1", report)
    quality.take("unit-1", report)
    assert [(row.source, row.at, row.figures["interval_s"]) for row in rows(database)] == [
        (UNIT_PEER, clock.now, 5.0)
    ]
    with database.read() as db:
        assert [entry.kind for entry in of_session(db, sid)] == ["booked"]


@pytest.mark.parametrize(("unit", "known"), [("unit-2", True), ("unit-1", False)])
def test_a_unit_tells_of_sessions_in_its_own_room_alone(quality, database, clock, sid, unit, known, caplog):
    quality.take(unit, of_unit(sid if known else "unknown000000", clock.now))
    assert rows(database) == []
    assert sid not in caplog.text


def test_what_a_page_kept_while_the_region_was_away_stands_where_it_was(quality, database, clock, sid):
    quality.take_page(sid, PEER, "clinician", [of_page(65.0), of_page(60.0)])
    clock.pass_by(seconds=1)
    quality.take_page(sid, PEER, "clinician", [of_page(61.2), of_page(0.0)])
    assert [clock.now - row.at for row in rows(database)] == [timedelta(seconds=s) for s in (66, 61, 0)]


def test_a_session_has_no_more_rows_than_a_long_day_makes(quality, database, clock, sid, monkeypatch):
    monkeypatch.setattr(module, "MOST_REPORTS", 3)
    quality.take_page(sid, PEER, "clinician", [of_page(age) for age in (40, 30, 20, 10)])
    assert len(rows(database)) == 3


@pytest.mark.parametrize("hours", [-13, 1])
def test_a_unit_with_a_wrong_clock_does_not_stretch_the_course(quality, database, clock, sid, hours):
    quality.take("unit-1", of_unit(sid, clock.now + timedelta(hours=hours)))
    assert rows(database) == []


def test_figures_go_after_their_time(quality, database, clock, sid):
    quality.tick()
    quality.take("unit-1", of_unit(sid, clock.now))
    clock.pass_by(days=29)
    quality.tick()
    assert len(rows(database)) == 1
    clock.pass_by(days=2)
    quality.tick()
    with database.read() as db:
        assert (rows(database), db.get(QualityCall, sid)) == ([], None)


def test_the_list_adds_up_what_stood_still_and_what_was_away(quality, database, clock, sid):
    for _ in range(20):
        clock.pass_by(seconds=5)
        quality.take("unit-1", of_unit(sid, clock.now))
        quality.take_page(sid, PEER, "clinician", [of_page()])
    assert line(database).verdict == "good"
    clock.pass_by(seconds=5)
    quality.take("unit-1", of_unit(sid, clock.now, frozen_s=2.5))
    assert (line(database).room_frozen_s, line(database).verdict) == (2.5, "uneven")
    clock.pass_by(seconds=5)
    quality.take("unit-1", of_unit(sid, clock.now, connected=False))
    kept = line(database)
    assert (kept.away_s, kept.seconds, kept.verdict) == (5.0, 110.0, "bad")


def test_a_course_has_both_directions_as_both_ends_told_them(quality, database, clock, sid):
    quality.take("unit-1", of_unit(sid, clock.now, frozen_s=0.6))
    quality.take_page(sid, PEER, "clinician", [of_page(sent=Sent(round_trip_ms=48.0))])
    with database.read() as db:
        told = course(db, sid)
        assert course(db, "unknown000000") is None
    out, back = told.directions
    assert (out.to_room, out.sender[0].sent.estimate, out.receiver[0].received.frame_rate) == (
        False,
        1_100_000,
        29.0,
    )
    seen = back.receiver[0].received
    assert (back.to_room, back.sender[0].sent.round_trip_ms) == (True, 48.0)
    assert (seen.frozen_s, seen.bit_rate, seen.lost) == (0.6, 702_000, 0.01), (
        "the screen's picture, the unit's line"
    )
    assert told.unit[0].encodings[0].encoder == "libx264"


def test_clinics_are_kept_apart(quality, database, clock, sid):
    quality.take("unit-1", of_unit(sid, clock.now))
    with database.read() as db:
        assert [len(calls(db, clinic, 10)) for clinic in ("Norra vårdcentralen", "Fjället", None)] == [
            1,
            0,
            1,
        ]


def test_a_row_stays_small(quality, database, clock, sid):
    many = tuple(of_unit(sid, clock.now).parties[0] for _ in range(MAX_PARTIES))
    quality.take("unit-1", of_unit(sid, clock.now, parties=many))
    assert len(str(rows(database)[0].figures)) < 4096
