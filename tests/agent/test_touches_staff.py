"""Staff at the screen: their own PINs, and what they do with the day's sessions."""

import asyncio
import json

import pytest
from argon2 import PasswordHasher

from agent import session_events as ev
from agent.contract.events import Notice
from agent.contract.signalling import Join
from agent.contract.unit_config import Config
from agent.reception import Reception
from agent.room import State as RoomState
from agent.screen import Touch
from agent.staff import WAITS_AT_MOST
from agent.touches import Touches
from web.room.wire import TOUCH_KINDS

SID, OTHER = "k3v9q2m4x8t1", "b7n2w5c8z0r4"
HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
ANNA, BO = HASHER.hash("471102"), HASHER.hash("830915")


def member(name, digest):
    return {"id": name, "label": name.title(), "pin_digest": digest}


class Desk:
    """A screen whose region answers what it is told to answer, or nothing."""

    def __init__(self, house):
        self.house = house
        self.asked = []
        self.answer = None
        self.touches = Touches(
            house.unit,
            intend=self.intend,
            set_microphone=lambda on: None,
            set_camera=lambda on: None,
            notices=house.wire.notices,
        )
        self.reception = Reception(house.unit, house.wire.notices, self.intend)
        self.revision = 0

    def intend(self, kind, intent):
        self.asked.append((kind, intent))
        if self.answer is not None and intent.id is not None and self.house.link.up:
            notice = Notice.model_validate({"id": intent.id, **self.answer})
            self.house.hear("dn/notice", notice, levels=("intent",))
        return self.house.link.up

    def __call__(self, kind, **more):
        return asyncio.run(self.touches.do(Touch(kind, **more))).refusal

    def configure(self, **values):
        self.revision += 1
        self.house.hear("dn/config", Config.model_validate_json(json.dumps(values)), rev=self.revision)

    @property
    def screen(self):
        return self.house.unit.screen()

    def last_event(self):
        event = self.house.unit.outbox.pending()[-1]
        return event.kind, event.sid, dict(event.fields)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr("agent.asking.ANSWER_WITHIN_S", 0.01)


@pytest.fixture
def desk(house, make_plan):
    house.connect()
    house.tested()
    house.schedule(make_plan(), make_plan(OTHER, 45, 75))
    desk = Desk(house)
    desk.configure(
        staff=[member("anna", ANNA), member("bo", BO)],
        rooms=[{"id": "west", "name": "West"}],
        queues=[{"id": "norr", "name": "Norra"}],
    )
    return desk


@pytest.fixture
def open_desk(desk):
    assert desk("staff_unlock", by="anna", text="471102") is None
    return desk


@pytest.fixture
def in_call(open_desk):
    house = open_desk.house
    open_desk("staff_checkin", sid=SID)
    house.signal(Join(**house.numbered(), chair=True), peer="c41f")
    house.unit.session_event(SID, ev.Admitted("c41f"))
    house.unit.session_event(SID, ev.PartyConnected("c41f"))
    assert house.state() == "in_call"
    return open_desk


def test_one_opens_with_ones_own_pin_and_the_log_knows_who(desk):
    assert desk.screen.staff_sessions == ()
    assert [each.name for each in desk.screen.staff] == ["Anna", "Bo"]
    assert desk("staff_unlock", by="anna", text="830915") == "wrong_pin"
    assert desk.last_event() == ("staff_refused", None, {"staff": "anna"})
    assert desk("staff_unlock", by="bo", text="830915") is None
    assert desk.last_event() == ("staff_unlocked", None, {"staff": "bo"})
    assert desk.screen.staff_member.name == "Bo"
    assert desk("staff_checkin", sid=SID) is None
    (event,) = [each for each in desk.house.unit.outbox.pending() if each.kind == "checked_in"]
    assert dict(event.fields) == {"how": "staff", "staff": "bo"}


@pytest.mark.parametrize("by", [None, "carl"])
def test_a_name_that_is_not_on_the_list_opens_nothing_and_costs_no_try(desk, by):
    assert desk("staff_unlock", by=by, text="471102") == "bad_request"
    assert desk.screen.pin_lock.tries_left == 5


def test_ones_own_pin_buys_no_tries_at_a_colleagues(desk):
    for _ in range(2):
        assert desk("staff_unlock", by="anna", text="000000") == "wrong_pin"
        assert desk("staff_unlock", by="bo", text="000000") == "wrong_pin"
        assert desk("staff_unlock", by="bo", text="830915") is None
    assert desk("staff_unlock", by="bo", text="000000") == "wrong_pin"
    assert desk.screen.pin_lock.tries_left == 2
    assert desk("staff_unlock", by="anna", text="000000") == "wrong_pin"
    assert desk("staff_unlock", by="anna", text="000000") == "pin_locked"
    assert desk("staff_unlock", by="bo", text="830915") == "pin_locked", "the pause is the room's"


def test_the_pause_outlives_a_kill(desk):
    for _ in range(5):
        desk("staff_unlock", by="anna", text="000000")
    house = desk.house.start()
    assert house.unit.screen().pin_lock.tries_left == 0


@pytest.mark.parametrize(
    "staff",
    [[member("bo", BO)], [member("anna", BO), member("bo", BO)], []],
    ids=["removed", "new pin", "no list"],
)
def test_one_who_is_removed_while_in_is_out_at_once(open_desk, staff):
    open_desk.configure(staff=staff)
    assert open_desk.screen.staff_unlocked_until is None
    assert open_desk.screen.staff_sessions == ()
    assert open_desk("staff_checkin", sid=SID) == "staff_locked"


def test_the_screen_locks_itself_unless_someone_is_still_there(open_desk):
    open_desk.house.tick(119)
    assert open_desk("still_here") is None
    open_desk.house.tick(119)
    assert open_desk.screen.staff_unlocked_until is not None
    open_desk.house.tick(1)
    assert open_desk.screen.staff_unlocked_until is None
    assert open_desk("still_here") is None
    assert open_desk.screen.staff_unlocked_until is None, "a locked screen is not opened by it"


def test_a_meeting_is_extended_when_the_region_says_so(in_call):
    in_call.answer = {}
    assert in_call("staff_extend", sid=SID, text="10") is None
    kind, intent = in_call.asked[-1]
    assert (kind, intent.sid, intent.minutes, intent.by) == ("extend", SID, 10, "anna")
    assert in_call.last_event() == ("extended", SID, {"minutes": 10, "staff": "anna"})
    assert in_call.screen.staff_answer == "done"


def test_what_is_possible_is_offered_when_the_next_session_is_in_the_way(in_call):
    in_call.answer = {"ok": False, "reason": "next_in_way", "minutes": 5}
    assert in_call("staff_extend", sid=SID, text="15") == "next_in_way"
    assert (in_call.screen.staff_answer, in_call.screen.staff_offer) == ("next_in_way", 5)


@pytest.mark.parametrize("text", [None, "", "0", "-5", "61", "1e1", "५"])
def test_what_is_no_number_of_minutes_is_not_asked_for(in_call, text):
    asked = len(in_call.asked)
    assert in_call("staff_extend", sid=SID, text=text) == "bad_request"
    assert len(in_call.asked) == asked


def test_a_meeting_that_has_just_ended_is_not_extended(in_call):
    in_call.house.unit.session_event(SID, ev.PatientLeft())
    assert in_call("staff_extend", sid=SID, text="5") == "not_now"


def test_with_the_region_away_nothing_is_asked_and_nothing_lost(in_call):
    in_call.house.link.up = False
    assert in_call("staff_extend", sid=SID, text="5") == "no_region"
    assert in_call.screen.staff_answer == "no_region"
    assert in_call.house.state() == "in_call"
    assert in_call("staff_end", sid=SID) is None, "what needs no region works without"


def test_an_answer_that_is_late_is_shown_when_it_comes(in_call):
    async def late():
        outcome = await in_call.touches.do(Touch("staff_extend", sid=SID, text="5"))
        assert (outcome.refusal, in_call.screen.staff_answer) == (None, "asked")
        answer = Notice(id=in_call.asked[-1][1].id)
        in_call.house.hear("dn/notice", answer, levels=("intent",))
        in_call.house.hear("dn/notice", answer, levels=("intent",))

    asyncio.run(late())
    assert in_call.screen.staff_answer == "done"
    assert in_call.house.kinds().count("extended") == 1


def test_two_touches_at_once_are_one_question(in_call):
    async def twice():
        touch = Touch("staff_extend", sid=SID, text="5")
        await asyncio.gather(in_call.touches.do(touch), in_call.touches.do(touch))

    asyncio.run(twice())
    assert [kind for kind, _ in in_call.asked].count("extend") == 1


def test_staff_end_a_meeting_for_all(in_call):
    assert in_call("staff_end", sid=OTHER) == "not_now"
    assert in_call("staff_end", sid=SID) is None
    (event,) = [each for each in in_call.house.unit.outbox.pending() if each.kind == "call_ended"]
    assert dict(event.fields) == {"reason": "ended_by_staff", "staff": "anna"}
    assert in_call.house.kinds()[-1] == "session_wiped"


def test_staff_let_a_waiting_patient_out_who_may_check_in_again(open_desk):
    open_desk("staff_checkin", sid=SID)
    assert open_desk("staff_end", sid=SID) is None
    assert open_desk.house.state() == "ready"
    assert open_desk.last_event() == (
        "peer_left",
        SID,
        {"role": "patient", "reason": "left_waiting", "staff": "anna"},
    )


@pytest.mark.parametrize("waiting", [False, True])
def test_a_session_is_handed_over_and_leaves_this_room_without_a_bye(open_desk, make_plan, waiting):
    house = open_desk.house
    if waiting:
        open_desk("staff_checkin", sid=SID)
    open_desk.answer = {}
    assert open_desk("staff_hand_over", sid=SID, text="west") is None
    assert house.state() is None
    assert house.kinds()[-2:] == ["handed_over", "session_wiped"]
    assert ("close" in house.media.told) is waiting
    assert all(type(body).__name__ != "Bye" for body in house.link.bodies("up/call"))
    house.schedule(make_plan(OTHER, 45, 75))
    house.schedule(make_plan(), make_plan(OTHER, 45, 75))
    assert house.state() == "ready", "it may be handed back"


def test_a_handed_over_session_that_vanishes_before_the_answer_is_no_cancelled_one(open_desk, make_plan):
    open_desk("staff_hand_over", sid=SID, text="west")
    open_desk.house.schedule(make_plan(OTHER, 45, 75))
    assert "handed_over" in open_desk.house.kinds()
    assert "session_cancelled" not in open_desk.house.kinds()


def test_a_room_that_is_gone_or_taken_takes_nobody(open_desk):
    assert open_desk("staff_hand_over", sid=SID, text="nowhere") == "no_such_room"
    open_desk.answer = {"ok": False, "reason": "room_not_free"}
    assert open_desk("staff_hand_over", sid=SID, text="west") == "room_not_free"
    open_desk.answer = {"ok": False, "reason": "a_reason_of_tomorrow"}
    assert open_desk("staff_hand_over", sid=SID, text="west") == "not_now"
    assert open_desk.house.state() == "ready"
    open_desk.house.schedule()
    assert "session_cancelled" in open_desk.house.kinds(), "a refused hand over is forgotten"


def test_a_hand_over_that_is_refused_late_is_forgotten_too(open_desk):
    assert open_desk("staff_hand_over", sid=SID, text="west") is None
    _, intent = open_desk.asked[-1]
    open_desk.house.hear(
        "dn/notice", Notice(id=intent.id, ok=False, reason="room_not_free"), levels=("intent",)
    )
    open_desk.house.schedule()
    assert "session_cancelled" in open_desk.house.kinds()
    assert "handed_over" not in open_desk.house.kinds()


def test_a_meeting_that_goes_on_is_not_handed_over(in_call):
    assert in_call("staff_hand_over", sid=SID, text="west") == "not_now"


def test_the_place_in_a_queue_is_shown_and_outlives_a_kill(open_desk, make_plan):
    house = open_desk.house
    open_desk.answer = {}
    assert open_desk("staff_dropin", text="nowhere") == "no_queue"
    assert open_desk("staff_dropin", text="norr") is None
    assert (open_desk.screen.queue.name, open_desk.screen.queue.place) == ("Norra", None)
    house.hear("dn/notice", Notice(queue="norr", place=3), levels=("queue",))
    assert open_desk.screen.queue.place == 3
    since = open_desk.screen.queue.since
    house.start()
    assert (house.unit.screen().queue.id, house.unit.screen().queue.since) == ("norr", since)
    house.connect()
    house.schedule(make_plan("d1r2o3p4i5n6", 0, 9, methods=("staff",)) | {"kind": "dropin"})
    assert house.state("d1r2o3p4i5n6") == "waiting"
    assert house.unit.screen().queue is None
    (event,) = [each for each in house.unit.outbox.pending() if each.kind == "checked_in"]
    assert dict(event.fields) == {"how": "staff", "staff": "anna"}


def test_a_room_that_was_off_for_hours_opens_no_camera_by_its_old_place(open_desk, make_plan):
    house = open_desk.house
    open_desk.answer = {}
    assert open_desk("staff_dropin", text="norr") is None
    house.time.passes(WAITS_AT_MOST.total_seconds())
    house.start()
    house.connect()
    minutes = WAITS_AT_MOST.total_seconds() / 60
    house.schedule(make_plan("d1r2o3p4i5n6", minutes, minutes + 9, methods=("staff",)) | {"kind": "dropin"})
    assert house.state("d1r2o3p4i5n6") == "ready"
    assert house.media.told == []


def test_the_place_of_those_who_have_long_gone_is_given_up(open_desk):
    open_desk.answer = {}
    assert open_desk("staff_dropin", text="norr") is None
    open_desk.house.time.passes(WAITS_AT_MOST.total_seconds())
    open_desk.reception.tick()
    assert open_desk.asked[-1][0] == "dropin_cancel"
    assert open_desk.screen.queue is None


def test_the_queue_is_left_when_asked_and_when_the_room_gets_another_session(open_desk):
    open_desk.answer = {}
    assert open_desk("staff_dropin_cancel") == "not_now"
    open_desk("staff_dropin", text="norr")
    open_desk("staff_lock")
    assert open_desk("staff_dropin_cancel") is None
    assert open_desk.screen.staff_unlocked_until is None, "leaving the queue opens nothing"
    open_desk("staff_unlock", by="anna", text="471102")
    open_desk("staff_dropin", text="norr")
    open_desk("staff_checkin", sid=SID)
    open_desk.reception.tick()
    assert open_desk.screen.queue is None
    assert open_desk.asked[-1][0] == "dropin_cancel"


def test_the_region_may_say_that_the_room_waits_in_no_queue(open_desk):
    open_desk.house.hear("dn/notice", Notice(queue="norr", place=1), levels=("queue",))
    assert open_desk.screen.queue.place == 1
    open_desk.house.hear("dn/notice", Notice(), levels=("queue",))
    assert open_desk.screen.queue is None


def test_a_dropin_without_a_queue_is_answered_too(open_desk):
    open_desk.answer = {"ok": False, "reason": "room_not_free"}
    assert open_desk("staff_dropin") == "room_not_free"
    assert open_desk.house.unit.dropin_asked_at is None
    open_desk.answer = {}
    assert open_desk("staff_start") is None
    assert open_desk.house.unit.dropin_by == "anna"


def test_a_late_no_opens_no_camera_for_a_meeting_that_comes_by_another_way(open_desk, make_plan):
    assert open_desk("staff_dropin") is None, "the answer is still to come"
    (_, intent) = open_desk.asked[-1]
    open_desk.house.hear(
        "dn/notice", Notice(id=intent.id, ok=False, reason="room_not_free"), levels=("intent",)
    )
    open_desk.house.schedule(make_plan("d1r2o3p4i5n6", 0, 9, methods=("staff",)) | {"kind": "dropin"})
    assert open_desk.house.state("d1r2o3p4i5n6") == "ready"


def test_a_late_answer_is_shown_as_that_of_its_own_question_alone(in_call):
    for minutes in ("15", "5"):
        assert in_call("staff_extend", sid=SID, text=minutes) is None
    (first, second) = [intent.id for kind, intent in in_call.asked if kind == "extend"]
    in_call.house.hear("dn/notice", Notice(id=first, ok=True), levels=("intent",))
    assert in_call.screen.staff_answer == "asked"
    assert in_call.last_event() == ("extended", SID, {"minutes": 15, "staff": "anna"})
    no = Notice(id=second, ok=False, reason="next_in_way", minutes=3)
    in_call.house.hear("dn/notice", no, levels=("intent",))
    assert (in_call.screen.staff_answer, in_call.screen.staff_offer) == ("next_in_way", 3)


def test_a_late_answer_is_not_shown_to_who_unlocks_next(in_call):
    assert in_call("staff_extend", sid=SID, text="15") is None
    in_call("staff_lock")
    assert in_call("staff_unlock", by="bo", text="830915") is None
    in_call.house.hear("dn/notice", Notice(id=in_call.asked[-1][1].id, ok=True), levels=("intent",))
    assert in_call.screen.staff_answer == ""


def test_the_room_is_tested_again_but_never_around_a_patient(open_desk):
    assert open_desk("staff_test") is None
    assert open_desk.house.unit.room.state == RoomState.TESTING
    assert open_desk.screen.testing
    open_desk("staff_checkin", sid=SID)
    assert open_desk("staff_test") == "room_taken"


@pytest.mark.parametrize(
    ("touch", "said"), [("staff_camera_right", "camera"), ("staff_sound_right", "sound")]
)
def test_what_staff_call_right_is_usual_from_the_test_that_follows(open_desk, touch, said):
    told = []
    open_desk.house.unit.camera_is_right = lambda: told.append("camera")
    open_desk.house.unit.sound_is_right = lambda: told.append("sound")
    assert open_desk(touch) is None
    assert told == [said]
    assert open_desk.house.unit.room.state == RoomState.TESTING
    open_desk("staff_checkin", sid=SID)
    assert open_desk(touch) == "room_taken"
    assert told == [said]


def test_the_pages_may_ask_for_all_that_staff_can_do(open_desk):
    staffs = {kind for kind in open_desk.touches._handlers if kind.startswith("staff_")}
    assert staffs and staffs <= TOUCH_KINDS


def test_an_overrun_is_on_record_once_and_told_until_staff_know(in_call):
    house = in_call.house
    for _ in range(45 * 60 - 1):
        house.time.passes(1)
    house.unit.tick()
    in_call.reception.tick()
    assert (in_call.screen.overrun.sid, in_call.screen.overrun.taken) == (OTHER, False)
    assert in_call.screen.session.ends_soon
    for _ in range(25):
        house.tick()
        in_call.reception.tick()
    assert house.kinds().count("overrun") == 1
    assert [kind for kind, _ in in_call.asked].count("overrun") == 3
    assert in_call.screen.next_session.taken
    assert not in_call.screen.overrun_known
    house.hear("dn/notice", Notice(sid=OTHER), levels=("overrun",))
    for _ in range(25):
        house.tick()
        in_call.reception.tick()
    assert [kind for kind, _ in in_call.asked].count("overrun") == 3
    assert in_call.screen.overrun_known
