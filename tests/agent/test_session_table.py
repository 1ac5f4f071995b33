"""One session's life, step by step: what happens, where it leads, and what is then done."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent import session_events as ev
from agent.contract.events import EventKind
from agent.contract.schedule import Features, Party, ScheduledSession
from agent.session import step
from agent.session_state import Party as Remote
from agent.session_state import Session, State

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
END = START + timedelta(minutes=30)
PLAN = ScheduledSession.model_construct(
    sid="k3v9q2m4x8t1", ref="A17", start=START, end=END, party=Party(clinic="Norra"), features=Features()
)
OPEN_DOOR = PLAN.model_copy(update={"features": Features(waiting_room=False)})
CHAIR = Remote("aaaa", "clinician", "account", chair=True, instance="one")
GUEST = Remote("bbbb", "interpreter", "link", chair=False, instance="one")
IN = replace(CHAIR, state="connected")


def at(state, *parties, plan=PLAN, **more):
    return Session(plan, state=State(state), parties=parties, **more)


def unconfirmed(state, *parties, **more):
    return at(state, *parties, confirmed=False, resumed_at=START, **more)


WALK = [
    (at("booked"), ev.Tick(), START - timedelta(minutes=16), "booked", []),
    (at("booked"), ev.Tick(), START - timedelta(minutes=15), "ready", ["session_ready"]),
    (at("booked", degraded=True), ev.Tick(), START, "ready", ["session_degraded"]),
    (at("booked"), ev.Tick(), END, "failed", ["session_failed", "Wipe"]),
    (at("ready"), ev.Tick(), END, "no_show", ["no_show", "Wipe"]),
    (at("ready"), ev.Tick(sure=False), END, "ready", []),
    (at("ready"), ev.RoomChecked(ok=False), START, "ready", ["session_degraded"]),
    (at("ready"), ev.CheckedIn("code"), START, "waiting", ["checked_in", "OpenMedia"]),
    (
        at("ready", CHAIR, plan=OPEN_DOOR),
        ev.CheckedIn("code"),
        START,
        "admitted",
        ["checked_in", "OpenMedia", "admitted", "Connect"],
    ),
    (at("ready"), ev.Cancelled(), START, "cancelled", ["session_cancelled", "Wipe"]),
    (
        at("ready"),
        ev.Replanned(PLAN.model_copy(update={"start": START + timedelta(days=1)})),
        START,
        "booked",
        [],
    ),
    (at("waiting"), ev.PartyJoined(CHAIR), START, "waiting", ["peer_joined"]),
    (at("waiting", CHAIR), ev.PartyJoined(CHAIR), START, "waiting", []),
    (
        at("waiting", plan=OPEN_DOOR),
        ev.PartyJoined(CHAIR),
        START,
        "admitted",
        ["peer_joined", "admitted", "Connect"],
    ),
    (at("waiting", plan=OPEN_DOOR), ev.PartyJoined(GUEST), START, "waiting", ["peer_joined"]),
    (at("waiting", CHAIR, GUEST), ev.Admitted("aaaa"), START, "admitted", ["admitted", "Connect", "Connect"]),
    (at("waiting", CHAIR, GUEST), ev.Admitted("bbbb"), START, "waiting", []),
    (at("waiting"), ev.PatientLeft(), START, "ready", ["peer_left", "CloseMedia"]),
    (
        at("waiting"),
        ev.Cancelled(),
        START,
        "cancelled",
        ["session_cancelled", "CloseMedia", "SayBye", "Wipe"],
    ),
    (
        at("in_call", IN, alone_since=START),
        ev.Tick(sure=False),
        START + timedelta(minutes=30),
        "ended",
        ["call_ended", "CloseMedia", "SayBye", "Wipe"],
    ),
    (
        at("in_call", IN, alone_since=START, chair_here=True),
        ev.Tick(),
        START + timedelta(minutes=29),
        "in_call",
        [],
    ),
    (
        at("waiting"),
        ev.Tick(),
        END + timedelta(hours=2),
        "ended",
        ["call_ended", "CloseMedia", "SayBye", "Wipe"],
    ),
    (at("admitted", CHAIR), ev.PartyConnected("aaaa"), START, "in_call", ["call_started", "peer_connected"]),
    (at("admitted", CHAIR), ev.PartyConnected("cccc"), START, "admitted", []),
    (at("in_call", IN, began_at=START), ev.PartyLost("aaaa"), START, "in_call", ["peer_lost", "Connect"]),
    (at("in_call", replace(IN, state="lost")), ev.PartyLost("aaaa"), START, "in_call", ["Connect"]),
    (
        at("in_call", IN),
        ev.PartyJoined(replace(CHAIR, instance="two")),
        START,
        "in_call",
        ["peer_joined", "Disconnect", "Connect"],
    ),
    (
        at("in_call", IN),
        ev.PartyJoined(replace(CHAIR, instance=f"{CHAIR.instance}-1")),
        START,
        "in_call",
        ["Connect"],
    ),
    (at("in_call", IN), ev.PartyJoined(CHAIR), START, "in_call", []),
    (
        at("in_call", replace(IN, instance=f"{CHAIR.instance}-1")),
        ev.PartyJoined(CHAIR),  # a restarted region tells of the page itself
        START,
        "in_call",
        [],
    ),
    (at("in_call", IN), ev.Cancelled(), START, "in_call", []),
    (at("in_call", IN), ev.Tick(), END + timedelta(hours=3), "in_call", []),
    (at("in_call", IN, GUEST), ev.PartyLeft("bbbb", "left"), START, "in_call", ["peer_left", "Disconnect"]),
    (at("in_call", IN, GUEST), ev.PartyLeft("aaaa", "lost"), START, "in_call", ["peer_left", "Disconnect"]),
    (
        at("in_call", IN, GUEST),
        ev.PartyLeft("aaaa", "left"),
        START,
        "ended",
        ["peer_left", "Disconnect", "call_ended", "CloseMedia", "SayBye", "Wipe"],
    ),
    (
        at("in_call", IN, replace(IN, peer="cccc")),
        ev.PartyLeft("aaaa", "left"),
        START,
        "in_call",
        ["peer_left", "Disconnect"],
    ),
    (at("in_call", IN), ev.PatientLeft(), START, "ended", ["call_ended", "CloseMedia", "SayBye", "Wipe"]),
    (at("ended"), ev.Tick(), START, "ended", ["Wipe"]),
    (at("ended"), ev.Wiped(), START, "wiped", ["session_wiped"]),
]
RESTARTS = [
    (at("waiting"), ev.Restarted(timedelta(seconds=119)), START, "waiting", ["AskResume"]),
    (at("waiting"), ev.Restarted(timedelta(seconds=120)), START, "ready", ["peer_left"]),
    (
        at("waiting"),
        ev.Restarted(timedelta(seconds=120)),
        END,
        "failed",
        ["session_failed", "CloseMedia", "SayBye", "Wipe"],
    ),
    (at("in_call", began_at=START), ev.Restarted(timedelta(seconds=5)), START, "in_call", ["AskResume"]),
    (
        at("in_call"),
        ev.Restarted(timedelta(seconds=120)),
        START,
        "failed",
        ["session_failed", "CloseMedia", "SayBye", "Wipe"],
    ),
    (at("failed"), ev.Restarted(timedelta(0)), START, "failed", ["Wipe"]),
    (unconfirmed("in_call"), ev.PartyJoined(CHAIR), START, "in_call", ["peer_joined"]),
    (unconfirmed("in_call", CHAIR), ev.PartyLost("aaaa"), START, "in_call", []),
    (unconfirmed("in_call", CHAIR), ev.ResumeConfirmed(), START, "in_call", ["OpenMedia", "Connect"]),
    (unconfirmed("waiting", CHAIR), ev.ResumeConfirmed(), START, "waiting", ["OpenMedia"]),
    (
        unconfirmed("waiting", CHAIR, plan=OPEN_DOOR),
        ev.ResumeConfirmed(),
        START,
        "admitted",
        ["OpenMedia", "admitted", "Connect"],
    ),
    (unconfirmed("waiting", CHAIR), ev.Admitted("aaaa"), START, "waiting", []),
    (
        unconfirmed("in_call"),
        ev.ResumeRefused(""),
        START,
        "failed",
        ["session_failed", "CloseMedia", "SayBye", "Wipe"],
    ),
    (unconfirmed("in_call"), ev.Tick(), START + timedelta(seconds=119), "in_call", []),
    (
        unconfirmed("in_call"),
        ev.Tick(),
        START + timedelta(seconds=120),
        "failed",
        ["session_failed", "CloseMedia", "SayBye", "Wipe"],
    ),
    (at("in_call", IN), ev.ResumeConfirmed(), START, "in_call", []),
]


@pytest.mark.parametrize(("before", "event", "now", "state", "effects"), WALK + RESTARTS)
def test_step(before, event, now, state, effects):
    after, done = step(before, event, now)
    names = [e.kind if isinstance(e, ev.Record) else type(e).__name__ for e in done]
    assert (after.state.value, names) == (state, effects)
    if not done and after.state == before.state and not isinstance(event, ev.Replanned):
        assert replace(after, parties=before.parties) == before
    assert {e.kind for e in done if isinstance(e, ev.Record)} <= set(EventKind.__args__)


def test_a_reload_of_the_only_page_is_seen_as_reconnecting():
    after, _ = step(at("in_call", IN), ev.PartyJoined(replace(CHAIR, instance="two")), START)
    assert after.alone_since == START
    back, _ = step(after, ev.PartyConnected("aaaa"), START + timedelta(seconds=3))
    assert back.alone_since is None


def test_a_restart_keeps_no_party_and_begins_unconfirmed():
    after, _ = step(at("in_call", IN, GUEST), ev.Restarted(timedelta(seconds=3)), START)
    assert (after.parties, after.confirmed, after.resumed_at) == ((), False, START)


def test_who_comes_in_after_another_left_unconfirmed_waits_for_no_confirmation():
    """The agent was killed while a patient waited, who left before the region had answered."""
    left, _ = step(unconfirmed("waiting"), ev.PatientLeft(), START)
    after, effects = step(left, ev.CheckedIn("code"), START)
    assert (after.state, after.confirmed) == ("waiting", True)
    assert ev.OpenMedia() in effects
