"""What the patient is told of the meeting, and what remains of it: nothing."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from agent.contract.schedule import Features, Party, ScheduledSession
from agent.meeting import ANNOUNCEMENTS_MAX, CAPTIONS_MAX, NOTHING_SAID, Meeting
from agent.meeting_messages import Chat, Name
from agent.screen import Beside
from agent.session_state import Party as Remote
from agent.session_state import Session, State

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PLAN = ScheduledSession.model_construct(
    sid="k3v9q2m4x8t1", ref="A17", start=NOW, end=NOW, party=Party(clinic="Norra"), features=Features()
)
DOCTOR = Remote("aaaa", "clinician", "account", chair=True, instance="one")
SHOWN = Remote("dddd", "clinician", "account", chair=False, instance="one", share_of="aaaa")


class Room:
    """A meeting that is told of one step after the other."""

    def __init__(self):
        self.meeting = Meeting(100)
        self.session = Session(PLAN, state=State.ADMITTED)

    def to(self, *parties, state="in_call", **more):
        after = replace(self.session, state=State(state), parties=parties, **more)
        self.meeting.follow(self.session, after, NOW)
        self.session = after

    @property
    def told(self):
        return [(each.kind, each.role, each.name) for each in self.meeting.view().announcements]


def connected(party):
    return replace(party, state="connected")


def test_one_who_joins_is_announced_once_by_name_or_after_a_moment_by_role():
    room = Room()
    room.to(replace(DOCTOR, state="connecting"))
    assert room.told == []
    room.to(connected(DOCTOR))
    assert not room.meeting.tick(NOW + timedelta(seconds=1))
    room.meeting.named("aaaa", Name("Karin Ek", "Läkare", "Norra"))
    assert room.told == [("joined", "clinician", "Karin Ek")]
    room.to(replace(DOCTOR, state="lost"))
    room.to(connected(DOCTOR))
    assert not room.meeting.tick(NOW + timedelta(seconds=9))
    guest = Remote("bbbb", "interpreter", "link", chair=False, instance="one", state="connected")
    room.to(connected(DOCTOR), guest)
    assert room.meeting.tick(NOW + timedelta(seconds=2))
    room.to(guest)
    assert room.told[1:] == [("joined", "interpreter", ""), ("left", "clinician", "Karin Ek")]
    assert "aaaa" not in room.meeting.view().names


def test_one_who_was_gone_before_the_moment_was_over_is_not_announced():
    room = Room()
    room.to(connected(DOCTOR))
    room.to()
    assert room.told == []


def test_what_is_shown_and_whether_it_may_be_is_told_by_whom():
    room = Room()
    room.meeting.named("aaaa", Name("Karin Ek"))
    room.to(connected(DOCTOR), sharing=True)
    room.to(connected(DOCTOR), connected(SHOWN))
    room.to(connected(DOCTOR), sharing=False)
    assert [kind for kind, _, _ in room.told] == [
        "joined",
        "sharing_on",
        "share_began",
        "share_ended",
        "sharing_off",
    ]
    assert room.told[2] == ("share_began", "clinician", "Karin Ek")


def test_the_camera_is_told_of_once_and_not_at_every_step_of_a_pan():
    room = Room()
    for camera, zoomed in [
        ("main", False),
        ("main", True),
        ("main", True),
        ("main", False),
        ("hand", False),
        ("main", True),
    ]:
        room.meeting.viewed(camera, zoomed, "clinician", "aaaa")
    assert [kind for kind, _, _ in room.told] == ["zoomed", "unzoomed", "hand_camera", "main_camera"]
    assert (room.meeting.view().camera_choice, room.meeting.view().zoomed) == ("main", True)


def test_lines_are_kept_in_order_once_each_and_not_for_ever():
    meeting = Meeting()
    for number in range(CAPTIONS_MAX + 5):
        meeting.said("aaaa", "clinician", Chat(str(number), f"rad {number}"))
    meeting.said("aaaa", "clinician", Chat("54", "rad 54"))
    captions = meeting.view().captions
    assert [line.text for line in captions] == [f"rad {number}" for number in range(5, CAPTIONS_MAX + 5)]
    assert all(b.id > a.id for a, b in itertools.pairwise(captions))
    for _ in range(ANNOUNCEMENTS_MAX + 5):
        meeting.announce("still_taken", "clinician")
    ids = [each.id for each in meeting.view().announcements]
    assert len(ids) == ANNOUNCEMENTS_MAX
    assert ids == sorted(ids)
    assert ids[0] > captions[-1].id


def test_those_beside_the_patient_are_the_chairs_and_the_screens_together():
    meeting = Meeting()
    assert meeting.beside_here("relative")
    assert not meeting.beside_here("Kanariefagel")
    [own] = meeting.beside
    gp = Beside("1", "clinician", "Ann Ek", "Norra")
    assert meeting.beside_by_chair((gp, replace(own, name="forged")))
    assert meeting.beside == (own, gp)
    assert not meeting.beside_by_chair((gp,))
    assert meeting.not_beside("1")
    assert not meeting.not_beside("1")
    while meeting.beside_here("staff"):
        pass
    assert len(meeting.beside) == 8


def test_nothing_remains_of_a_meeting_but_its_numbers_go_on():
    room = Room()
    room.to(connected(DOCTOR))
    room.meeting.named("aaaa", Name("Karin Ek"))
    room.meeting.said("aaaa", "clinician", Chat("1", "Hej"))
    room.meeting.beside_by_chair((Beside("1", "relative", "Bo Ek"),))
    room.meeting.viewed("hand", True)
    room.meeting.ask_for_still("clinician", NOW)
    last = room.meeting.view().announcements[-1].id
    room.to(state="ended")
    assert room.meeting.view() == NOTHING_SAID
    assert "Ek" not in repr(vars(room.meeting))
    room.meeting.announce("joined")
    assert room.meeting.view().announcements[0].id > last
