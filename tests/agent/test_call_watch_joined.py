"""A call's eyes and ears, joined: pages, patient, staff and log each hear what is theirs, and no more."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from agent import session_events as ev
from agent.call_watch_joined import WatchedCall
from agent.contract.signalling import Admit, Hold, Join
from agent.media.facts import KindStats, PeerStats
from agent.media.listening import Heard
from agent.media.watching import Seen

SID, DOCTOR, SISTER = "k3v9q2m4x8t1", "aaaa", "bbbb"
FINE = Seen(1.0, still=False, covered=False, dark=False, backlit=False)
TALKS = Heard(1.0, muted=False, nothing=0.0, clipped=0.0, loud=0.5)


class Calls:
    """Capture and call, with figures to turn."""

    microphone = camera = True

    def __init__(self):
        self.told = []
        self.heard, self.seen = TALKS, FINE
        self.seconds = 0
        self.silent = set()
        self.call = self.capture = self

    def tell(self, message, peer=None):
        self.told.append((peer, message["type"], message["what"]))

    def stats(self):
        """Of both: nobody asks one for what the other has."""
        return SimpleNamespace(
            frames_captured=30 * self.seconds,
            camera_fault=None,
            microphone_fault=None,
            heard=self.heard,
            seen=self.seen,
            peers={peer: self.peer(peer) for peer in (DOCTOR, SISTER)},
        )

    def peer(self, name):
        octets = 3 if name in self.silent else 80
        audio = KindStats(50 * self.seconds, 50 * octets * self.seconds)
        received = {"audio": audio, "video": KindStats(150 * self.seconds, 1)}
        return PeerStats(1, True, 0.02, 0, 0, "full", 0.0, 0, 0.0, 0, 0, received)


class Visit:
    """A room in call with a clinician who leads and a relative."""

    def __init__(self, house):
        self.house, self.unit, self.calls = house, house.unit, Calls()
        self.watched = WatchedCall(house.unit, self.calls)
        house.unit.session_event(SID, ev.CheckedIn("code"))
        house.signal(Join(instance="one", seq=0, chair=True), DOCTOR)
        house.signal(Admit(instance="one", seq=1), DOCTOR)
        house.signal(Join(instance="two", seq=0, role="relative"), SISTER)
        for peer in (DOCTOR, SISTER):
            house.unit.session_event(SID, ev.PartyConnected(peer))
        self.passes(2)

    def passes(self, seconds):
        for _ in range(seconds):
            self.calls.seconds += 1
            self.house.tick()
            self.watched.tick()

    @property
    def patient(self):
        return self.unit.screen().session.warning


@pytest.fixture
def visit(ready_house):
    return Visit(ready_house)


def test_a_room_that_is_not_heard_is_told_to_who_leads_and_to_staff_and_taken_back(visit):
    visit.calls.heard = replace(TALKS, nothing=1.0)
    visit.passes(5)
    assert visit.calls.told == [(DOCTOR, "warning", "room_sound")]
    assert visit.unit.notes == {"microphone_dead": ("microphone",)}
    assert "microphone_dead" in visit.unit.screen().faults
    assert not visit.patient
    visit.calls.heard = TALKS
    visit.passes(5)
    assert visit.calls.told[1:] == [(DOCTOR, "warning", "")]
    assert visit.unit.notes == {}
    assert visit.house.kinds()[-1] == "call_warning"


def test_the_light_behind_the_patient_is_told_the_patient_and_is_no_note(visit):
    visit.calls.seen = replace(FINE, backlit=True)
    visit.passes(5)
    assert visit.patient == "backlit"
    assert visit.calls.told == [(DOCTOR, "warning", "backlit")]
    assert visit.unit.notes == {}


def test_a_party_that_is_not_heard_reads_it_and_the_patient_too_once_nobody_is(visit):
    visit.calls.silent = {SISTER}
    visit.passes(5)
    assert visit.calls.told == [(SISTER, "warning", "party_sound")]
    assert not visit.patient
    visit.calls.silent = {SISTER, DOCTOR}
    visit.passes(5)
    assert visit.patient == "party_sound"
    doctor = SimpleNamespace(peer=DOCTOR)
    visit.watched.party_says(None, doctor, {"type": "state", "microphone": False, "camera": True})
    visit.passes(1)  # the doctor meant to be silent
    assert visit.calls.told[-1] == (DOCTOR, "warning", "")


def test_a_page_that_connects_anew_is_told_how_it_is(visit):
    visit.calls.heard = replace(TALKS, nothing=1.0)
    visit.passes(5)
    visit.calls.told.clear()
    visit.watched.greet(DOCTOR)
    visit.watched.greet(SISTER)
    assert visit.calls.told == [(DOCTOR, "warning", "room_sound"), (SISTER, "warning", "")]


def test_on_hold_nothing_is_judged_and_nothing_said(visit):
    visit.calls.seen = replace(FINE, covered=True)
    visit.passes(5)
    visit.house.signal(Hold(instance="one", seq=2, on=True), DOCTOR)
    visit.passes(1)
    assert (visit.patient, visit.unit.notes) == ("", {})
    assert visit.calls.told[-1] == (DOCTOR, "warning", "")


def test_a_picture_that_the_touchscreen_cannot_show_is_told_its_party(visit):
    visit.watched.stands_still(frozenset({SISTER}))
    visit.passes(5)
    assert visit.calls.told == [(SISTER, "warning", "party_picture")]


def test_what_has_not_been_mended_when_the_call_ends_the_room_looks_at_before_the_next(visit):
    visit.calls.heard = replace(TALKS, nothing=1.0)
    visit.passes(5)
    visit.unit.session_event(SID, ev.PatientLeft())
    visit.passes(1)
    assert visit.unit.notes == {}
    assert visit.unit.room.faults == ("microphone_dead",)
    kinds = visit.house.kinds()
    assert kinds.index("call_warning") < kinds.index("session_wiped")
    told = next(event for event in visit.unit.outbox.pending() if event.kind == "call_warning")
    assert told.fields == {"what": "room_sound", "seconds": 4.0, "who": "party_staff"}
