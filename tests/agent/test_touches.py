"""What patients and staff may do at the screen, and how they are refused."""

import asyncio
import sqlite3

import pytest
from argon2 import PasswordHasher

from agent import session_events as ev
from agent.contract import schedule
from agent.contract.schedule import code_digest
from agent.contract.unit_config import Config
from agent.screen import Touch
from agent.touches import Touches

SID, OTHER = "k3v9q2m4x8t1", "b7n2w5c8z0r4"
SALT = "0f" * 16
RIGHT, WRONG = "123456", "654321"
PIN = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(autouse=True)
def quick_digests(monkeypatch):
    """The real digest takes 20 ms by design; how it is made is the contract's to test."""
    monkeypatch.setattr("agent.checkin.code_digest", lambda code, salt: f"{code}{salt}"[:32].ljust(32, "0"))


def quick(code):
    return f"{code}{SALT}"[:32]


class Screen:
    def __init__(self, house):
        self.house = house
        self.intents = []

    def __call__(self, kind, **more):
        touches = Touches(
            self.house.unit,
            intend=lambda kind, intent: self.intents.append((kind, intent.sid)) or self.house.link.up,
            set_microphone=lambda on: self.house.media.told.append(f"microphone {on}"),
            set_camera=lambda on: self.house.media.told.append(f"camera {on}"),
        )
        return asyncio.run(touches.do(Touch(kind, **more))).refusal


@pytest.fixture
def touch(house, make_plan):
    house.connect()
    house.tested()
    house.schedule(make_plan(code=quick(RIGHT)), make_plan(OTHER, 100, 130, code=quick("111111")))
    return Screen(house)


def test_the_real_digest_is_slow_and_of_the_code_under_the_salt(monkeypatch):
    assert (schedule.CODE_DIGEST_MEMORY_KIB, schedule.CODE_DIGEST_PASSES) >= (19 * 1024, 2)
    monkeypatch.setattr(schedule, "CODE_DIGEST_MEMORY_KIB", 8)
    digests = [
        code_digest(*each) for each in ((RIGHT, SALT), (RIGHT, SALT), (WRONG, SALT), (RIGHT, "1f" * 16))
    ]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_a_full_disk_neither_keeps_a_patient_out_nor_lifts_the_pause(touch, house, monkeypatch):
    def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(house.store, "put", full)
    assert [touch("checkin_code", text=WRONG) for _ in range(6)] == ["wrong_code"] * 4 + ["locked"] * 2
    house.tick(121)
    assert touch("checkin_code", text=RIGHT) is None
    assert house.state() == "waiting"


def test_the_right_code_checks_in_and_is_used_then(touch, house):
    assert touch("checkin_code", text=RIGHT) is None
    assert house.state() == "waiting"
    assert touch("checkin_code", text=RIGHT) == "used_code"
    house.unit.session_event(SID, ev.Admitted("aaaa"))
    house.unit.session_event(SID, ev.PatientLeft())
    assert touch("checkin_code", text=RIGHT) is None, "who left while waiting may come back"


def test_a_code_of_a_session_that_is_over_is_told_from_a_wrong_one(touch, house):
    touch("checkin_code", text=RIGHT)
    house.tick(4 * 3600)
    assert house.unit.sessions == {}
    assert touch("checkin_code", text=RIGHT) == "used_code"
    assert touch("checkin_code", text="111111") == "old_code"
    assert house.unit.locks.code.wrong == 0


def test_a_code_that_was_used_before_midnight_is_told_as_used_after_it(touch, house, make_plan):
    yesterday = "a7" * 16
    plan = make_plan(code=f"{RIGHT}{yesterday}"[:32])
    plan["checkin"]["salt"] = yesterday
    house.schedule(plan)
    assert touch("checkin_code", text=RIGHT) is None
    house.tick(4 * 3600)
    house.schedule()
    assert house.unit.memory.used_salts() == (yesterday,)
    assert touch("checkin_code", text=RIGHT) == "used_code"
    assert touch("checkin_code", text=WRONG) == "wrong_code"


def test_a_code_too_early_and_a_room_taken(touch, house):
    assert touch("checkin_code", text="111111") == "too_early"
    house.tick(0)
    touch("checkin_code", text=RIGHT)
    house.tick(86 * 60)
    assert touch("checkin_code", text="111111") == "room_taken"


def test_five_wrong_codes_pause_entry_even_over_a_kill_and_then_it_goes_on(touch, house):
    answers = [touch("checkin_code", text=WRONG) for _ in range(5)]
    assert answers == ["wrong_code"] * 4 + ["locked"]
    assert house.kinds()[-5:] == ["checkin_failed"] * 4 + ["checkin_locked"]
    house.time.passes(60)
    house.start()
    assert touch("checkin_code", text=RIGHT) == "locked"
    assert house.unit.screen().code_lock.tries_left == 0
    house.tick(60)
    assert touch("checkin_code", text=RIGHT) is None


@pytest.mark.parametrize("text", [None, "", "12345", "1234567", "12345a", "１２３４５６"])
def test_what_is_no_code_costs_no_try(touch, house, text):
    assert touch("checkin_code", text=text) == "bad_request"
    assert house.unit.locks.code.wrong == 0


def test_one_button_only_where_the_session_allows_it(touch, house, make_plan):
    assert touch("checkin_button", sid="nobody00") == "not_now"
    house.schedule(make_plan(methods=("code",)))
    assert touch("checkin_button", sid=SID) == "not_now"
    house.schedule(make_plan())
    assert touch("checkin_button", sid=SID) is None


def test_staff_need_the_pin_which_pauses_too(touch, house):
    assert touch("staff_unlock", text="2468") == "no_pin_set"
    assert touch("staff_checkin", sid=SID) == "staff_locked"
    house.hear("dn/config", Config.model_validate({"staff_pin_digest": PIN.hash("2468")}), rev=1)
    assert [touch("staff_unlock", text="1357") for _ in range(5)] == ["wrong_pin"] * 4 + ["pin_locked"]
    assert touch("staff_unlock", text="2468") == "pin_locked"
    house.tick(120)
    assert touch("staff_unlock", text="2468") is None
    house.tick(119)
    assert touch("staff_start", sid=OTHER) is None, "staff may begin before the time"
    assert house.state(OTHER) == "waiting"
    assert touch("staff_start") == "room_taken"
    house.tick(120)
    assert touch("staff_start") == "staff_locked"


def test_an_unlocked_screen_does_not_stay_so_when_the_clock_is_put_back(touch, house):
    house.hear("dn/config", Config.model_validate({"staff_pin_digest": PIN.hash("2468")}), rev=1)
    touch("staff_unlock", text="2468")
    house.clock.learn(house.clock.now().replace(year=2025), fresh=True)
    assert touch("staff_checkin", sid=SID) == "staff_locked"


def test_microphone_and_camera_only_with_someone_in_the_room(touch, house):
    assert touch("microphone", on=False) == "not_now"
    touch("checkin_code", text=RIGHT)
    assert touch("microphone") == "bad_request"
    assert (touch("microphone", on=False), touch("camera", on=False)) == (None, None)
    assert house.media.told[-2:] == ["microphone False", "camera False"]
    assert touch("leave") is None
    assert touch("leave") == "not_now"
