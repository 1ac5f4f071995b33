"""What goes wrong in a call: told to the one who can mend it, within 5 s, once, one thing at a time."""

from __future__ import annotations

from agent.call_watch import AGAIN_AFTER_S, HINT_SHOWN_S, MATTERS, CallWatch, Over, Told
from agent.contract.instructions import INSTRUCTIONS

DOCTOR, NURSE, RELATIVE = "p1", "p2", "p3"
SILENT = ("room_sound", "")


class Clock:
    """Looks once a second, and keeps what was said in each of them."""

    def __init__(self) -> None:
        self.now = 100.0
        self.watch = CallWatch()
        self.over: list[Over] = []
        self.here = {DOCTOR: True}

    def look(self, wrong, seconds: int = 1) -> list[Told]:
        told = []
        for _ in range(seconds):
            self.now += 1
            self.over += self.watch.look(self.now, wrong)
            told.append(self.watch.told(self.now, self.here))
        return told


def test_a_dead_microphone_is_told_within_five_seconds_to_parties_and_staff_and_not_to_the_patient():
    clock = Clock()
    clock.look({SILENT: False}, 5)
    told = clock.look({SILENT: True}, 60)
    assert [each.parties for each in told[:2]] == [{}, {}]
    assert all(each.parties == {DOCTOR: "room_sound"} for each in told[2:])
    assert told[-1].notes == {"microphone_dead"}
    assert {each.patient for each in told} == {None}


def test_what_is_well_for_some_seconds_is_taken_back_and_told_to_the_log_with_its_length():
    clock = Clock()
    clock.look({SILENT: True}, 10)
    told = clock.look({SILENT: False}, 4)
    assert [bool(each.parties) for each in told] == [True, True, True, False]
    assert told[-1].notes == frozenset()
    assert clock.over == [Over("room_sound", 10.0, "party_staff")]


def test_a_word_in_between_does_not_end_it_and_a_pause_does_not_begin_it():
    clock = Clock()
    for _ in range(5):
        told = clock.look({SILENT: True}, 2) + clock.look({SILENT: False})
        assert not any(each.parties for each in told)
    clock.look({SILENT: True}, 4)
    for _ in range(5):
        told = clock.look({SILENT: False}, 2) + clock.look({SILENT: True})
        assert all(each.parties for each in told)
    assert not clock.over


def test_what_was_told_and_is_over_is_not_told_again_for_two_minutes():
    clock = Clock()
    clock.look({SILENT: True}, 5)
    clock.look({SILENT: False}, 4)
    again = clock.look({SILENT: True}, int(AGAIN_AFTER_S) + 2)
    first = next(second for second, each in enumerate(again) if each.parties)
    assert AGAIN_AFTER_S - 2 <= first <= AGAIN_AFTER_S
    assert all(each.parties for each in again[first:])


def test_a_hint_goes_by_itself_and_is_counted_for_as_long_as_it_lasted():
    clock = Clock()
    told = clock.look({("backlit", ""): True}, 100)
    shown = [each for each in told if each.patient == "backlit" and each.parties == {DOCTOR: "backlit"}]
    assert len(shown) == HINT_SHOWN_S
    assert told[-1] == Told(None, {}, frozenset())
    clock.look({}, 1)
    assert clock.over == [Over("backlit", 100.0, "patient_party")]


def test_each_reads_one_line_the_gravest_of_theirs():
    clock = Clock()
    clock.here = {DOCTOR: True, NURSE: True}
    wrong = {
        ("backlit", ""): True,
        ("covered", ""): True,
        ("party_sound", DOCTOR): True,
        ("party_picture", DOCTOR): True,
    }
    told = clock.look(wrong, 5)[-1]
    assert told.parties == {DOCTOR: "party_sound", NURSE: "covered"}
    assert told.patient == "covered"  # the nurse is heard: the doctor's silence is no riddle
    clock.here = {DOCTOR: True}
    assert clock.look(wrong)[-1].patient == "party_sound"


def test_a_relative_reads_of_themselves_and_not_of_the_room():
    clock = Clock()
    clock.here = {DOCTOR: True, RELATIVE: False}
    told = clock.look({("covered", ""): True, ("party_sound", RELATIVE): True}, 5)[-1]
    assert told.parties == {DOCTOR: "covered", RELATIVE: "party_sound"}


def test_what_cannot_be_said_stays_as_it_was():
    clock = Clock()
    case = ("party_sound", DOCTOR)
    assert not clock.look({case: None}, 20)[-1].parties
    clock.look({case: True}, 5)
    assert all(each.parties for each in clock.look({case: None}, 20))  # its connection is built anew


def test_what_no_longer_matters_is_over_at_once():
    clock = Clock()
    clock.look({("covered", ""): True}, 5)
    told = clock.look({})  # the patient has turned the camera off
    assert told[-1] == Told(None, {}, frozenset())
    assert clock.over == [Over("covered", 5.0, "patient_party_staff")]


def test_the_end_of_the_call_ends_all_of_it_and_the_next_begins_anew():
    clock = Clock()
    clock.look({SILENT: True, ("dark", ""): True, ("clipping", ""): False}, 5)
    assert {over.what for over in clock.watch.close(clock.now + 1)} == {"room_sound", "dark"}
    assert clock.look({SILENT: True}, 5)[-1].parties == {DOCTOR: "room_sound"}


def test_that_somebody_talked_with_the_microphone_off_is_in_no_log():
    clock = Clock()
    assert clock.look({("muted_talking", ""): True}, 5)[-1] == Told("muted_talking", {}, frozenset())
    assert not clock.watch.close(clock.now + 1)


def test_staff_are_told_by_instructions_that_there_are():
    assert {matter.note for matter in MATTERS.values()} - {""} <= set(INSTRUCTIONS)
    assert all(matter.patient or matter.parties != "none" for matter in MATTERS.values())
