"""What pages say over the call: who may say what, what the others are told, and what is kept of it."""

import asyncio
import logging
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent import session_events as ev
from agent.contract.signalling import Admit, Chair, Hold, Join, Knock, Lobby, Reject, Sharing
from agent.meeting_talk import MeetingTalk
from agent.screen import Touch
from agent.staff import opened, shut
from agent.touches import Touches
from agent.touches_meeting import MeetingTouches

SID = "k3v9q2m4x8t1"
PEERS = ("aaaa", "bbbb", "dddd", "zzzz")


class Pages:
    """Notes what the pages are told."""

    def __init__(self):
        self.told = []

    def tell(self, message, peer=None):
        self.told.append((peer, message))

    def of(self, kind):
        return [message for _, message in self.told if message["type"] == kind]


class Meeting:
    """A call with a clinician who leads, an interpreter, and what the clinician shows."""

    def __init__(self, house):
        self.house, self.unit, self.pages = house, house.unit, Pages()
        self.talk = MeetingTalk(house.unit, self.pages)
        self.touches = Touches(
            house.unit,
            intend=lambda kind, intent: True,
            set_microphone=lambda on: None,
            set_camera=lambda on: None,
        )
        extra = MeetingTouches(
            house.unit, house.wire, is_staff=self.touches.is_staff, tell_beside=self.talk.tell_beside
        )
        self.touches.add(extra.handlers)
        house.unit.session_event(SID, ev.CheckedIn("code"))
        house.signal(Join(instance="one", seq=0, chair=True), "aaaa")
        house.signal(Admit(instance="one", seq=1), "aaaa")
        house.signal(Join(instance="one", seq=0, role="interpreter", sees=False), "bbbb")
        house.signal(Join(instance="one", seq=0, share_of="aaaa"), "dddd")
        for peer in ("aaaa", "bbbb", "dddd"):
            house.unit.session_event(SID, ev.PartyConnected(peer))

    @property
    def shown(self):
        return self.unit.screen().session

    def touch(self, kind, **more):
        return asyncio.run(self.touches.do(Touch(kind, **more))).refusal

    def unlock(self):
        self.unit.configuration = replace(self.unit.configuration, staff_pin_digest="$argon2id$")
        self.unit.desk = opened(self.unit.desk, self.unit.configuration, None, self.unit.clock.now())


@pytest.fixture
def meeting(ready_house):
    return Meeting(ready_house)


def test_names_lines_and_what_is_shown_stand_on_the_screen(meeting):
    meeting.talk.heard(
        "aaaa", {"type": "name", "name": "Karin Ek", "title": "Läkare", "organisation": "Norra"}
    )
    meeting.talk.heard("aaaa", {"type": "chat", "id": "1", "text": "Ta två om dagen"})
    parties = {party.peer: party for party in meeting.shown.parties}
    assert (parties["aaaa"].name, parties["aaaa"].chair, parties["bbbb"].sees) == ("Karin Ek", True, False)
    assert (parties["dddd"].share_of, parties["dddd"].name) == ("aaaa", "Karin Ek")
    [caption] = meeting.shown.captions
    assert (caption.role, caption.text) == ("clinician", "Ta två om dagen")
    assert meeting.house.media.told[-3:] == ["connect aaaa", "connect bbbb unseen", "connect dddd show"]


def test_who_writes_without_end_does_not_push_out_the_others_lines(meeting):
    meeting.talk.heard("aaaa", {"type": "chat", "id": "1", "text": "Ta två om dagen"})
    for number in range(200):
        meeting.talk.heard("bbbb", {"type": "chat", "id": str(number), "text": "igen"})
    lines = [caption.text for caption in meeting.shown.captions]
    assert lines[0] == "Ta två om dagen"
    assert 5 <= len(lines) <= 20


def test_only_the_chair_says_who_sits_beside_and_everybody_is_told(meeting):
    people = [{"id": "1", "role": "relative", "name": "Bo Ek", "organisation": ""}]
    meeting.talk.heard("bbbb", {"type": "beside", "people": people})
    assert meeting.shown.beside == ()
    meeting.talk.heard("aaaa", {"type": "beside", "people": people})
    assert meeting.touch("beside_add", text="staff") is None
    ours = meeting.shown.beside[0].id
    assert [person["role"] for person in meeting.pages.of("beside")[-1]["people"]] == ["staff", "relative"]
    meeting.talk.heard("aaaa", {"type": "beside", "people": meeting.pages.of("beside")[-1]["people"]})
    assert len(meeting.shown.beside) == 2
    assert meeting.touch("beside_remove", text=ours) is None
    assert meeting.touch("beside_remove", text=ours) == "bad_request"
    assert meeting.touch("beside_add", text="Kanariefagel") == "bad_request"


def test_a_page_whose_channel_opens_is_told_how_everything_is(meeting):
    meeting.house.signal(Hold(instance="one", seq=5, on=True), "aaaa")
    assert meeting.house.media.told[-1] == "hold True"
    assert meeting.shown.on_hold
    meeting.talk.greet("bbbb")
    assert meeting.pages.told == [
        ("bbbb", {"type": "held", "on": True}),
        ("bbbb", {"type": "beside", "people": []}),
    ]


def test_what_strangers_shares_and_those_of_another_time_say_is_dropped(meeting):
    for peer in ("zzzz", "dddd"):
        meeting.talk.heard(peer, {"type": "chat", "id": "1", "text": "Kanariefagel"})
    meeting.talk.heard("aaaa", {"type": "state", "microphone": True})
    meeting.talk.heard("aaaa", {"type": ["chat"]})
    assert meeting.shown.captions == ()
    meeting.unit.session_event(SID, ev.PatientLeft())
    meeting.talk.heard("aaaa", {"type": "chat", "id": "1", "text": "Kanariefagel"})
    assert "Kanariefagel" not in repr(meeting.unit.screen())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(PEERS),
            st.dictionaries(
                st.sampled_from(["type", "id", "name", "text", "people"]),
                st.sampled_from(["name", "chat", "beside", "Kanariefagel", "\ud800", 1, None])
                | st.lists(st.dictionaries(st.sampled_from(["id", "role", "name"]), st.text()), max_size=9),
            ),
        ),
        max_size=12,
    )
)
def test_whatever_is_said_nothing_breaks_and_no_word_of_it_is_logged_or_kept(meeting, caplog, said):
    with caplog.at_level(logging.DEBUG):
        for peer, message in said:
            meeting.talk.heard(peer, message)
    assert "Kanariefagel" not in caplog.text
    assert "Kanariefagel" not in repr(list(meeting.unit.outbox.pending()))
    assert not any(b"Kanariefagel" in value for _, value in meeting.unit.store.sessions())
    assert len(meeting.shown.captions) <= 50


def test_staff_who_lead_from_the_room_let_in_turn_away_and_hand_back(meeting):
    house = meeting.house
    knock = Knock(peer="ffff", role="relative", identified="link")
    house.signal(Lobby(**house.numbered("region"), waiting=(knock,)))
    assert [party.peer for party in meeting.shown.lobby] == ["ffff"]
    meeting.unlock()
    assert meeting.touch("party_admit", text="ffff") == "not_now"
    house.signal(Chair(**house.numbered("region"), holder="unit"))
    meeting.unit.desk = shut(meeting.unit.desk)
    assert meeting.shown.chair_here
    assert meeting.touch("party_admit", text="ffff") == "staff_locked"
    meeting.unlock()
    assert meeting.touch("party_admit", text="gggg") == "not_now"
    assert meeting.touch("party_admit", text="ffff") is None
    assert meeting.touch("party_reject", text="ffff") is None
    assert meeting.touch("chair_back") is None
    admitted, rejected, given = house.link.bodies("up/call")[-3:]
    assert (type(admitted), type(rejected), given.holder) == (Admit, Reject, "aaaa")
    assert [message.topic.levels[1] for message in house.link.sent if message.data in (admitted, given)] == [
        "ffff",
        "unit",
    ]
    house.link.up = False
    assert meeting.touch("chair_back", text="bbbb") == "no_region"


def test_sharing_goes_on_and_off_by_the_regions_word(meeting):
    house = meeting.house
    house.signal(Sharing(**house.numbered("region"), on=True, organisations=("Kommunen",)))
    assert meeting.shown.sharing
    assert meeting.shown.announcements[-1].kind == "sharing_on"
    assert "Kommunen" not in repr(house.unit.outbox.pending())


def test_a_patient_who_is_turned_away_reads_it_until_the_next_touch(ready_house):
    house = ready_house
    house.unit.session_event(SID, ev.CheckedIn("code"))
    house.signal(Join(instance="one", seq=0, chair=True), "aaaa")
    house.signal(Reject(instance="one", seq=1), "aaaa")
    assert house.state() == "ready"
    assert house.unit.screen().session.was_rejected
    house.unit.touched()
    assert house.unit.screen().session is None
