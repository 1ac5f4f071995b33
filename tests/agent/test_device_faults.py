"""A camera or microphone that is gone in a call: told once, to staff, region and session, and taken back."""

from types import SimpleNamespace

from agent import session_events as ev
from agent.device_faults import DeviceFaults, note_device_faults, take_as_room_faults

SID = "k3v9q2m4x8t1"


def stats(camera=None, microphone=None):
    return SimpleNamespace(camera_fault=camera, microphone_fault=microphone)


def test_faults_are_told_when_they_are_others_and_forgotten_with_the_devices():
    told = []
    faults = DeviceFaults(told.append)
    for now in (
        stats(),
        stats(microphone="gone"),
        stats(microphone="gone, still"),
        stats("dark", "gone"),
        None,
    ):
        faults.look(now)
    assert told == [{"microphone": "gone"}, {"camera": "dark", "microphone": "gone"}, {}]


def test_what_has_not_come_back_when_the_devices_are_closed_is_left_to_the_room():
    left = []
    faults = DeviceFaults(left=lambda devices: left.append(sorted(devices)))
    for now in (
        stats("dark", "gone"),
        stats(microphone="gone"),
        None,
        None,
        stats(camera="dark"),
        stats(),
        None,
    ):
        faults.look(now)
    assert left == [["microphone"]]


def test_the_room_tests_itself_before_somebody_else_is_let_in(ready_house):
    unit = ready_house.unit
    take_as_room_faults(unit)(["microphone"])
    assert unit.room.faults == ("microphone",)
    assert not unit.room.ready


def test_an_unplugged_microphone_is_a_note_of_the_unit_and_a_fact_of_the_session_until_it_is_back(
    ready_house,
):
    unit = ready_house.unit
    unit.session_event(SID, ev.CheckedIn("code"))
    tell = note_device_faults(unit)
    tell({"microphone": "no microphone is plugged in"})
    assert unit.notes == {"microphone": ("microphone",)}
    assert unit.sessions[SID].degraded
    assert ready_house.kinds()[-1] == "session_degraded"
    tell({"microphone": "no microphone is plugged in", "camera": "it is gone"})
    assert ready_house.kinds().count("session_degraded") == 2
    tell({})
    assert unit.notes == {}
