"""Many in one meeting: who leads, who sees, what is shown, and a patient on hold or turned away."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent import session_events as ev
from agent.contract.schedule import Features, Party, ScheduledSession
from agent.contract.signalling import Knock
from agent.session import step
from agent.session_state import Party as Remote
from agent.session_state import Session, State

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PLAN = ScheduledSession.model_construct(
    sid="k3v9q2m4x8t1",
    ref="A17",
    start=START,
    end=START + timedelta(minutes=30),
    party=Party(clinic="Norra"),
    features=Features(),
)
CHAIR = Remote("aaaa", "clinician", "account", chair=True, instance="one", state="connected")
GUEST = Remote("bbbb", "interpreter", "link", chair=False, instance="one", state="connected")
OTHER = replace(CHAIR, peer="cccc", chair=False)
SHOWN = Remote("dddd", "clinician", "account", chair=False, instance="one", share_of="aaaa")


def at(state, *parties, **more):
    return Session(PLAN, state=State(state), parties=parties, **more)


def names(effects):
    return [effect.kind if isinstance(effect, ev.Record) else type(effect).__name__ for effect in effects]


def moved(session, event):
    after, effects = step(session, event, START)
    return after, names(effects)


def test_what_a_party_shows_is_connected_but_nobody_is_there_by_it():
    waiting_for_all = at("admitted", CHAIR, alone_since=START)
    session, done = moved(
        replace(waiting_for_all, parties=(replace(CHAIR, state="connecting"),)), ev.PartyJoined(SHOWN)
    )
    assert done == ["share_began", "Connect"]
    session, done = moved(session, ev.PartyConnected("dddd"))
    assert (session.state, session.alone_since, done) == (State.ADMITTED, START, [])
    assert session.party("dddd").state == "connected"
    session, done = moved(session, ev.PartyLost("dddd"))
    assert done == ["Connect"]
    session, done = moved(session, ev.PartyLeft("dddd", "left"))
    assert (done, [party.peer for party in session.parties]) == (["share_ended", "Disconnect"], ["aaaa"])


def test_a_share_never_leads_whatever_it_says_of_itself():
    session, _ = moved(at("in_call", CHAIR), ev.PartyJoined(replace(SHOWN, chair=True)))
    assert not session.party("dddd").chair
    assert moved(session, ev.PartyLeft("dddd", "left", end=True))[0].state == State.IN_CALL
    waiting, _ = moved(at("waiting"), ev.PartyJoined(replace(SHOWN, chair=True)))
    assert waiting.state == State.WAITING
    assert not waiting.chair_present


def test_with_its_party_goes_what_it_shows():
    session, done = moved(at("in_call", CHAIR, OTHER, SHOWN), ev.PartyLeft("aaaa", "left"))
    assert [party.peer for party in session.parties] == ["cccc"]
    assert done == ["peer_left", "Disconnect", "share_ended", "Disconnect"]


def test_the_same_page_that_leads_now_or_no_longer_sees_is_not_connected_anew():
    session, done = moved(at("in_call", CHAIR, GUEST), ev.PartyJoined(replace(GUEST, sees=False)))
    assert (session.party("bbbb").sees, session.party("bbbb").state, done) == (False, "connected", ["ShowTo"])
    session, done = moved(session, ev.PartyJoined(replace(GUEST, chair=True, sees=False)))
    assert done == ["chair_changed"]
    assert moved(session, ev.PartyJoined(replace(GUEST, chair=True, sees=False)))[1] == []


@pytest.mark.parametrize(
    ("parties", "event", "state"),
    [
        ((CHAIR, GUEST), ev.PartyLeft("aaaa", "left"), "ended"),
        ((CHAIR, GUEST), ev.PartyLeft("aaaa", "lost"), "in_call"),
        ((CHAIR, GUEST), ev.PartyLeft("bbbb", "left", end=True), "in_call"),
        ((CHAIR, OTHER), ev.PartyLeft("aaaa", "left"), "in_call"),
        ((OTHER, GUEST), ev.PartyLeft("cccc", "left"), "ended"),
    ],
)
def test_the_meeting_is_over_when_the_chair_says_so_or_the_last_clinician_leaves(parties, event, state):
    assert moved(at("in_call", *parties), event)[0].state == state


def test_staff_beside_the_patient_who_lead_carry_the_meeting_on():
    session, done = moved(at("in_call", CHAIR, GUEST), ev.ChairMoved("unit"))
    assert (session.chair_here, session.party("aaaa").chair, done) == (True, False, ["chair_changed"])
    assert moved(session, ev.ChairMoved("unit"))[1] == []
    session, _ = moved(session, ev.PartyLeft("aaaa", "left"))
    assert session.state == State.IN_CALL
    session, _ = moved(session, ev.ChairMoved("bbbb"))
    assert (session.chair_here, session.party("bbbb").chair) == (False, True)
    assert moved(session, ev.PartyLeft("bbbb", "left", end=True))[0].end_reason == "ended_by_clinician"


def test_only_the_chair_puts_on_hold_and_staff_who_lead_are_not_held():
    session = at("in_call", CHAIR, GUEST)
    assert moved(session, ev.Held("bbbb", True)) == (session, [])
    session, done = moved(session, ev.Held("aaaa", True))
    assert (session.state, session.on_hold, done) == (State.IN_CALL, True, ["hold_began", "HoldMedia"])
    assert moved(session, ev.Held("aaaa", True))[1] == []
    assert moved(session, ev.Held("aaaa", False))[1] == ["hold_ended", "HoldMedia"]
    session, done = moved(session, ev.ChairMoved("unit"))
    assert (session.on_hold, done) == (False, ["chair_changed", "hold_ended", "HoldMedia"])


def test_a_party_that_has_the_chair_ends_the_rooms_leading_though_the_word_of_it_was_missed():
    led_here = at("in_call", replace(CHAIR, chair=False), GUEST, chair_here=True)
    assert not moved(led_here, ev.PartyJoined(CHAIR))[0].chair_here
    assert not moved(led_here, ev.PartyJoined(replace(CHAIR, instance="two")))[0].chair_here
    assert moved(led_here, ev.PartyJoined(replace(GUEST, sees=False)))[0].chair_here


def test_after_a_restart_the_region_tells_anew_who_leads_and_who_is_held():
    session, _ = moved(
        at("in_call", CHAIR, on_hold=True, chair_here=True), ev.Restarted(timedelta(seconds=5))
    )
    assert (session.on_hold, session.chair_here) == (False, False)
    session, done = moved(session, ev.ResumeConfirmed())
    assert done == ["OpenMedia"]
    session, _ = moved(session, ev.PartyJoined(CHAIR))
    assert moved(session, ev.Held("aaaa", True))[1] == ["hold_began", "HoldMedia"]


def test_who_is_not_the_patient_is_let_out_and_the_time_stays_free():
    session = at("waiting", CHAIR, GUEST, checked_in_at=START, checked_in_how="code")
    assert moved(session, ev.Rejected("bbbb")) == (session, [])
    session, done = moved(session, ev.Rejected("aaaa"))
    assert (session.state, session.was_rejected) == (State.READY, True)
    assert done == ["patient_rejected", "CloseMedia"]
    assert moved(session, ev.Touched())[0].was_rejected is False
    again, _ = moved(session, ev.CheckedIn("code"))
    assert (again.state, again.was_rejected) == (State.WAITING, False)


def test_who_waits_outside_and_whether_screens_may_be_shown():
    knock = Knock(peer="ffff", role="relative", identified="link")
    session, done = moved(at("in_call", CHAIR), ev.LobbyChanged((knock,)))
    assert (session.lobby, done) == ((knock,), [])
    session, done = moved(session, ev.SharingChanged(True))
    assert (session.sharing, done) == (True, ["sharing_changed"])
    assert moved(session, ev.SharingChanged(True))[1] == []
    ended, _ = moved(session, ev.PatientLeft())
    assert (ended.lobby, ended.sharing) == ((), False)
