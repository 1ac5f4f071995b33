"""Which snapshot the unit keeps, and which of its sessions."""

from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agent.contract.schedule import Schedule
from agent.schedule import Snapshot, accept

DAY = datetime(2026, 11, 22, tzinfo=UTC)


def session(number, start_min, length_min):
    start = DAY + timedelta(minutes=start_min)
    return {
        "sid": f"session{number:04d}",
        "ref": f"A{number}",
        "start": start.isoformat(),
        "end": (start + timedelta(minutes=length_min)).isoformat(),
        "with": {"clinic": "Norra"},
    }


def schedule(*sessions, epoch=0):
    return Schedule(epoch=epoch, valid_until=DAY + timedelta(days=7), salt="0f" * 16, sessions=sessions)


GOOD = st.builds(session, st.integers(0, 6), st.integers(0, 600), st.integers(-5, 120))
BAD = st.sampled_from([None, 3, "x", {}, {"sid": "session0001"}, {**session(9, 0, 30), "ref": 7}])


@given(st.lists(GOOD | BAD, max_size=12))
def test_any_mix_is_kept_without_overlap_and_every_session_is_accounted_for(sessions):
    snapshot, report = accept(Snapshot(), schedule(*sessions), 1, b"")
    kept = snapshot.sessions
    assert report.outcome == "accepted"
    assert all(first.end <= second.start for first, second in pairwise(kept))
    assert len({plan.sid for plan in kept}) == len(kept)
    assert len(kept) + len(report.rejected) == len(sessions)


@given(st.tuples(st.integers(0, 3), st.integers(0, 3)), st.tuples(st.integers(0, 3), st.integers(0, 3)))
def test_only_a_later_snapshot_takes_the_place_of_one(first, second):
    kept, _ = accept(Snapshot(), schedule(epoch=first[0]), first[1], b"")
    after, report = accept(kept, schedule(session(1, 0, 30), epoch=second[0]), second[1], b"")
    assert (after != kept) == (second > first) == (report is not None)


def test_a_bad_session_is_rejected_alone_and_named():
    bad = {**session(2, 60, 30), "end": "yesterday"}
    snapshot, report = accept(Snapshot(), schedule(session(1, 0, 30), bad, session(3, 10, 30)), 1, b"")
    assert [plan.sid for plan in snapshot.sessions] == ["session0001"]
    assert {(item.sid, item.field) for item in report.rejected} == {
        ("session0002", "end"),
        ("session0003", "start"),
    }


def test_a_snapshot_without_revision_is_rejected_whole():
    snapshot, report = accept(Snapshot(), schedule(session(1, 0, 30)), None, b"")
    assert (snapshot, report.outcome) == (Snapshot(), "rejected")
    assert not astuple(snapshot)[-1]
