"""Check-in by QR code as a whole unit does it: which codes open, how the others are refused, when it closes."""

import asyncio
import logging

import pytest

from agent import room as rooms
from agent import session_events as ev
from agent.checkin import token_of
from agent.commands.selftest import SelftestDeed
from agent.contract.schedule import token_digest
from agent.scanning import AGAIN_AFTER_S, OPEN_FOR_S, TOLD_MAX, UNWATCHED_FOR_S, Scanning
from agent.screen import ScanView, Touch
from agent.session_state import Party
from agent.touches import Touches
from agent.touches_scan import scan_touches

SID, OTHER = "k3v9q2m4x8t1", "b7n2w5c8z0r4"
TOKEN, LATER_TOKEN, UNKNOWN = "0a" * 16, "1b" * 16, "2c" * 16
DOCTOR = Party("aaaa", "clinician", "account", chair=True, instance="page-1")
LINK = f"https://video.region.example/visit#{TOKEN}"


class FakeCamera:
    def __init__(self):
        self.generation = 0
        self.told = []

    def open(self):
        self.told.append("open")

    def close(self):
        self.told.append("close")


class Door:
    """A house whose screen can scan."""

    def __init__(self, house):
        self.house, self.camera = house, FakeCamera()
        nothing = lambda _on: None  # noqa: E731
        touches = Touches(house.unit, intend=lambda *_: True, set_microphone=nothing, set_camera=nothing)
        self.scanning = house.unit.scan = Scanning(house.unit, self.camera, touches.check_in)
        touches.add(scan_touches(self.scanning))
        self.touches = touches

    def scan(self, on=True):
        return asyncio.run(self.touches.do(Touch("scan", on=on))).refusal

    def call_and_end(self):
        """The visit is held, and over."""
        for event in (ev.PartyJoined(DOCTOR), ev.Admitted("aaaa"), ev.PatientLeft()):
            self.house.unit.session_event(SID, event)
        assert SID not in self.house.unit.sessions

    def hold_up(self, text, *, away_s=AGAIN_AFTER_S):
        """Hold it up, after the one before was away; the refusal that the page shows."""
        self.house.time.passes(away_s)
        self.scanning.read(text)
        view = self.house.unit.screen().scan
        return view.refusal if view else None


@pytest.fixture
def with_qr(make_plan):
    def planned(sid, start_min, end_min, token, methods=("code", "qr", "staff")):
        plan = make_plan(sid, start_min, end_min, methods=methods)
        plan["checkin"]["token_digest"] = token_digest(token) if "qr" in methods else None
        return plan

    return planned


@pytest.fixture
def door(house, with_qr):
    house.connect()
    house.tested()
    house.schedule(with_qr(SID, 10, 40, TOKEN), with_qr(OTHER, 100, 130, LATER_TOKEN))
    return Door(house)


@pytest.mark.parametrize("text", [TOKEN, LINK, f"http://localhost:8080/visit#{TOKEN}"])
def test_our_codes_are_the_token_or_the_invitations_link(text):
    assert token_of(text) == TOKEN


@pytest.mark.parametrize(
    "text",
    [
        "",
        TOKEN[:-1],
        TOKEN + "0",
        TOKEN.upper(),
        f"{TOKEN}\n",
        f"https://a b/visit#{TOKEN}",
        f"https://video.region.example/visit#x#{TOKEN}",
        f"ftp://video.region.example/visit#{TOKEN}",
        f"https://{'x' * 300}#{TOKEN}",
        "WIFI:S:gast;T:WPA;P:hemligt;;",
        "٠" * 32,
    ],
)
def test_what_is_not_ours_is_told_from_a_wrong_code(text, door):
    assert token_of(text) is None
    door.scan()
    assert door.hold_up(text) == "foreign_qr"


@pytest.mark.parametrize("text", [TOKEN, LINK])
def test_the_right_code_checks_in_and_closes_the_camera_first(door, text):
    assert door.scan() is None
    assert (door.house.unit.room.state, door.camera.told) == (rooms.State.SCANNING, ["open"])
    assert door.hold_up(text) is None
    assert (door.house.state(), door.camera.told) == ("waiting", ["open", "close"])
    assert door.house.unit.outbox.pending()[-1].fields == {"how": "qr"}
    assert door.house.media.told == ["open"]
    assert door.house.unit.room.state == rooms.State.OCCUPIED
    assert door.house.unit.screen().scan is None
    assert door.scan() == "room_taken"


def test_wrong_early_used_and_old_codes_are_told_apart(door):
    door.scan()
    assert door.hold_up(UNKNOWN) == "wrong_qr"
    assert door.hold_up(LATER_TOKEN) == "too_early"
    assert door.house.unit.screen().scan.seen == 2
    assert door.hold_up(TOKEN) is None
    door.call_and_end()
    door.scan()
    assert door.hold_up(TOKEN) == "used_qr"
    door.house.time.passes(4 * 3600)
    door.house.tick()
    door.scan()
    assert door.hold_up(LATER_TOKEN) == "old_qr"
    told = [e.fields for e in door.house.unit.outbox.pending() if e.kind == "checkin_failed"]
    assert told == [{"how": "qr", "reason": r} for r in ("wrong_qr", "too_early", "used_qr", "old_qr")]


def test_who_left_while_waiting_may_come_back_with_the_same_code(door):
    door.scan()
    door.hold_up(TOKEN)
    door.house.unit.session_event(SID, ev.PatientLeft())
    door.scan()
    assert door.hold_up(TOKEN) is None
    assert door.house.state() == "waiting"


def test_a_session_without_check_in_by_qr_is_not_opened_by_it(door, with_qr):
    plan = with_qr(SID, 10, 40, TOKEN, methods=("code",))
    plan["checkin"]["token_digest"] = token_digest(TOKEN)  # a region that sends it all the same
    door.house.schedule(plan)
    door.scan()
    assert door.hold_up(TOKEN) == "wrong_qr"


def test_a_code_that_stays_in_front_of_the_camera_is_one_try(door):
    door.scan()
    assert door.hold_up(UNKNOWN) == "wrong_qr"
    for _ in range(30):
        door.hold_up(UNKNOWN, away_s=0.2)
    assert door.house.unit.screen().scan.seen == 1
    door.hold_up("another", away_s=0)
    door.hold_up(UNKNOWN)
    assert door.house.unit.screen().scan.seen == 3


def test_a_film_of_codes_does_not_fill_the_log(door):
    door.scan()
    for number in range(3 * TOLD_MAX):
        door.hold_up(f"{number:032x}", away_s=0.2)
    assert door.house.kinds().count("checkin_failed") == TOLD_MAX
    assert door.house.unit.screen().scan.seen == 3 * TOLD_MAX
    assert door.hold_up(TOKEN) is None, "128 bits need no pause"


def test_the_camera_closes_by_touch_by_time_and_when_no_page_looks(door):
    house = door.house
    for close in (
        lambda: door.scan(on=False),
        lambda: house.tick(OPEN_FOR_S),
        lambda: (door.scanning.watched(0), house.tick(UNWATCHED_FOR_S)),
        lambda: house.unit.session_event(SID, ev.CheckedIn("staff_remote")),
    ):
        door.scanning.watched(1)
        assert door.scan() is None
        assert house.unit.screen().scan is not None
        close()
        assert (door.camera.told[-1], house.unit.screen().scan) == ("close", None)
        assert house.unit.room.state != rooms.State.SCANNING
        door.scanning.read(TOKEN)  # a picture that was on its way
    assert door.camera.told == ["open", "close"] * 4


def test_a_page_that_is_loaded_anew_keeps_it_open_and_a_touch_begins_the_time_anew(door):
    door.scan()
    door.scanning.watched(0)
    door.house.tick(UNWATCHED_FOR_S - 1)
    door.scanning.watched(1)
    door.house.tick(OPEN_FOR_S - UNWATCHED_FOR_S)
    assert door.scan() is None
    door.house.tick(OPEN_FOR_S - 1)
    asyncio.run(door.touches.do(Touch("still_here")))
    door.house.tick(OPEN_FOR_S - 1)
    assert door.camera.told == ["open"]
    door.house.tick(1)
    assert door.camera.told == ["open", "close"]


def test_no_touch_is_done_in_two_places(door):
    """One that took another's place would undo what that did: staff's screen locked itself under their hands."""
    with pytest.raises(ValueError, match="scan"):
        door.touches.add(scan_touches(door.scanning))


def test_a_camera_that_cannot_be_had_is_said_and_the_room_looks_why(door):
    door.scan()
    door.house.tests.clear()
    door.scanning.failed()
    assert door.house.unit.screen().scan == ScanView("no_camera", seen=1)
    assert door.house.tests == ["start"]
    door.house.unit.room_event(rooms.TestDone(("camera",)))
    assert door.scan(on=False) is None
    assert door.house.unit.screen().scan is None
    assert door.scan() == "no_camera"
    assert door.camera.told == ["open", "close"]


def test_with_the_region_away_a_stored_visit_is_checked_in_all_the_same(door):
    house = door.house
    house.link.up = False
    house.unit.room_event(rooms.TestAsked())
    house.unit.room_event(rooms.TestDone(("region",)))
    assert house.unit.room.state == rooms.State.OUT_OF_ORDER
    assert door.scan() is None
    assert door.hold_up(LINK) is None
    assert house.state() == "waiting"


def test_a_self_test_gives_way_and_is_not_reported_as_passed(door):
    deed = SelftestDeed(door.house.unit)
    deed.begin()
    assert door.house.tests[-1] == "start"
    door.scan()
    assert door.house.tests[-1] == "stop"
    assert deed.tick().state == "canceled"


def test_scan_wants_to_know_whether_on_or_off(door):
    assert door.scan(on=None) == "bad_request"


def test_no_log_and_no_screen_has_what_a_code_says(door, caplog):
    caplog.set_level(logging.DEBUG)
    door.scan()
    secret = "hemlighet" * 4
    for text in (UNKNOWN, secret, LINK):
        door.hold_up(text)
    door.house.unit.session_event(SID, ev.PatientLeft())
    kept = "".join(str(event) for event in door.house.unit.outbox.pending())
    seen = caplog.text + kept + repr(door.house.unit.screen()) + repr(door.scanning._opening)
    assert "scan closed: 2 codes refused" in caplog.text
    for text in (UNKNOWN, secret, TOKEN, token_digest(UNKNOWN)):
        assert text not in seen


def test_a_token_is_remembered_as_used_over_a_restart(door):
    door.scan()
    door.hold_up(TOKEN)
    door.call_and_end()
    again = Door(door.house.start())
    again.house.connect()
    again.scan()
    assert again.hold_up(TOKEN) == "used_qr"
