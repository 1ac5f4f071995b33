"""What may happen at the same moment in a meeting, and what those who are outside or have left reach."""

from __future__ import annotations

from typing import Any

import pytest

from agent.contract.signalling import Bye, Chair
from tests.provisioning.meeting_table import SID, Table, told
from tests.provisioning.test_many_parties import (
    ELSEWHERE,
    INTERPRETER,
    RELATIVE,
    SECOND_DOCTOR,
    let_in,
    lobby_states,
    newest,
    sent,
)
from web.clinic.services import Refused


@pytest.fixture
def table(wire: Any, clock: Any) -> Table:
    return Table(wire, clock)


def test_whoever_hands_over_the_chair_shows_nothing_more_unless_sharing_is_on(table: Table) -> None:
    doctor, second = table.open(), table.open(SECOND_DOCTOR)
    table.say("share", on=True)
    share_peer = sent(table)[-1][0]
    told(doctor)
    table.say("chair", holder=newest(second)["you"])
    assert [signal.reason for at, signal in sent(table) if at == share_peer] == ["rejected"]
    assert told(doctor) == ["bye"]
    assert not any(one["share"] for one in newest(second)["parties"])


def test_the_room_hands_the_chair_to_one_who_is_here_when_the_one_it_names_has_gone(table: Table) -> None:
    doctor, second = table.open(), table.open(SECOND_DOCTOR)
    mine = newest(doctor)["you"]
    table.say("chair", holder="unit")
    doctor.close()
    table.signalling.from_unit("unit-1", SID, "unit", Chair(instance="boot", seq=1, holder=mine))
    seen = newest(second)
    assert seen["chair"] == seen["you"]


def test_with_one_who_is_shown_out_go_those_who_knock_with_the_same_link(table: Table) -> None:
    doctor = table.open()
    peer, _ = let_in(table, doctor, INTERPRETER)
    second = table.open(ELSEWHERE, "page-two")
    relative = table.open(RELATIVE)
    table.say("remove_party", peer=peer)
    assert lobby_states(second) == ["waiting", "closed", "END"]
    assert lobby_states(relative) == ["waiting"]
    assert [knock["role"] for knock in newest(doctor)["lobby"]] == ["relative"]


def test_after_a_restart_of_the_region_nobody_is_let_go_of_who_is_on_their_way_back(table: Table) -> None:
    doctor = table.open()
    assert newest(doctor)["whole"]
    peer, _ = let_in(table, doctor, INTERPRETER)
    table.restarted()
    doctor = table.open()
    seen = newest(doctor)
    assert (len(seen["parties"]), seen["whole"]) == (1, False)
    table.open(INTERPRETER)
    assert not newest(doctor)["whole"]
    table.say("remove_party", peer=peer)
    assert newest(doctor)["whole"], "one who was shown out is not kept"
    table.restarted()
    doctor = table.open()
    assert not newest(doctor)["whole"]
    table.clock.pass_by(seconds=20)
    table.signalling.tick()
    assert newest(doctor)["whole"]


def test_one_who_has_left_reaches_neither_the_room_nor_the_others(table: Table) -> None:
    doctor = table.open()
    let_in(table, doctor, INTERPRETER)
    mine = newest(doctor)["you"]
    table.say("leave", INTERPRETER)
    told(doctor), table.said()
    for kind in ("mesh", "resync", "share"):
        with pytest.raises(Refused, match="has left"):
            table.say(kind, INTERPRETER, to=mine, kind="offer", attempt=1, on=True)
    assert told(doctor) == table.said() == []


def test_an_ended_meeting_is_led_by_nobody_whoever_leaves_or_knocks_then(table: Table) -> None:
    doctor = table.open()
    let_in(table, doctor, INTERPRETER)
    second = table.open(SECOND_DOCTOR)
    table.say("end")
    ended = newest(second)["chair"]
    table.say("leave", INTERPRETER)
    table.open(RELATIVE)
    table.signalling.tick()
    assert table.notes.count(("chair_given", "")) == 0
    assert newest(table.open(SECOND_DOCTOR, "page-two"))["chair"] != ended, "its own clinic may begin anew"


def test_one_who_is_shown_out_while_their_page_opens_stays_out(table: Table) -> None:
    doctor = table.open()
    peer, _ = let_in(table, doctor, INTERPRETER)
    table.said()
    table.meanwhile["party_opened"] = lambda: table.say("remove_party", peer=peer)
    feed = table.open(INTERPRETER, "page-two")
    assert [type(signal) for signal in table.said()] == [Bye]
    assert told(feed) == ["bye", "END"]
    assert [one["role"] for one in newest(doctor)["parties"]] == ["clinician"]


def test_what_is_asked_for_while_the_chair_passes_on_is_refused(table: Table) -> None:
    table.open()
    second = table.open(SECOND_DOCTOR)
    theirs = newest(second)["you"]
    table.said()
    table.meanwhile["end_asked"] = lambda: table.say("chair", holder=theirs)
    with pytest.raises(Refused, match="for the chair"):
        table.say("end")
    assert not any(isinstance(signal, Bye) for signal in table.said())
    assert newest(second)["chair"] == theirs


def test_those_outside_give_no_figures_of_the_call_and_no_personal_number_goes_into_the_log(
    table: Table,
) -> None:
    table.open()
    table.open(INTERPRETER)
    with pytest.raises(Refused, match="waits outside"):
        table.signalling.party(INTERPRETER, SID, "page-one")
    with pytest.raises(Refused, match="personal number"):
        table.say("sharing", on=True, organisations=["Norra", "mor 19121212-1212"])
    assert not any(kind == "sharing_noted" for kind, _ in table.notes)
