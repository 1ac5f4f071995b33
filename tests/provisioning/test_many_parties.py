"""A meeting of many: who waits outside, who leads, who sees and shows, and what each of them is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agent.contract.signalling import Admit, Bye, Chair, Hold, Join, Lobby, Reject, Sharing
from provisioning.feeds import PageFeed
from provisioning.meetings import MOST_WAITING, Attendee
from provisioning.standing import Standing
from tests.provisioning.meeting_table import DOCTOR, NURSE, SID, Table, offer, told
from web.clinic.services import Refused

SECOND_DOCTOR = Attendee("acc9", "clinician")
INTERPRETER = Attendee(
    "seat1", "interpreter", "link", knocks=True, seat="seat1", place="p1", label="Tolk 4711"
)
RELATIVE = Attendee("seat2", "relative", "link", knocks=True, seat="seat2", place="p1")
SPECIALIST = Attendee("acc5", "specialist", "oidc", knocks=True, seat="seat3")
ELSEWHERE = replace(INTERPRETER, place="p2")


@pytest.fixture
def table(wire: Any, clock: Any) -> Table:
    return Table(wire, clock)


def newest(feed: PageFeed) -> dict[str, Any]:
    """What the page knows of the meeting now; what it has heard before is read away."""
    found: dict[str, Any] = {}
    while (message := feed.get(0)) is not None:
        found = dict(message) if message["type"] == "parties" else found
    assert found, "nothing was told"
    return found


def lobby_states(feed: PageFeed) -> list[str]:
    states = []
    try:
        while (message := feed.get(0)) is not None:
            states += [message["state"]] if message["type"] == "lobby" else []
    except StopIteration:
        states.append("END")
    return states


def peer_of(feed: PageFeed, role: str) -> str:
    seen = newest(feed)
    return next(one["peer"] for one in seen["parties"] + seen["lobby"] if one["role"] == role)


def let_in(table: Table, doctor: PageFeed, who: Attendee, instance: str = "page-one") -> tuple[str, PageFeed]:
    feed = table.open(who, instance)
    peer = peer_of(doctor, who.role)
    table.say("admit_party", peer=peer)
    return peer, feed


def sent(table: Table) -> list[tuple[str, Any]]:
    return [(message.topic.levels[1], message.data) for message in table.wire.take("dn/call")]


def test_one_with_a_link_waits_outside_and_the_unit_hears_nothing_of_them(table: Table) -> None:
    doctor, nurse = table.open(), table.open(NURSE)
    table.said()
    interpreter = table.open(INTERPRETER)
    assert lobby_states(interpreter) == ["waiting"]
    assert table.said() == []
    (knock,) = newest(doctor)["lobby"]
    assert (knock["role"], knock["identified"], knock["label"], knock["second"]) == (
        "interpreter",
        "link",
        "Tolk 4711",
        False,
    )
    assert newest(nurse)["lobby"] == [], "only those who decide, and clinicians, are told"
    for kind in ("admit_party", "mesh", "share", "answer"):
        with pytest.raises(Refused, match="inside"):
            table.say(kind, INTERPRETER, peer=knock["peer"], to=knock["peer"], on=True)
    with pytest.raises(Refused, match="for the chair"):
        table.say("admit_party", NURSE, peer=knock["peer"])

    table.say("admit_party", peer=knock["peer"])
    assert lobby_states(interpreter) == ["admitted"]
    ((topic_peer, join),) = sent(table)
    assert topic_peer == knock["peer"]
    assert (join.role, join.identified, join.chair, join.sees) == ("interpreter", "link", False, True)
    assert [(one["role"], one["here"]) for one in newest(doctor)["parties"]] == [
        ("clinician", True),
        ("staff", True),
        ("interpreter", True),
    ]
    assert "Tolk" not in str(table.log), "a label is in no log"
    admitted = next(fields for kind, fields in table.log if kind == "party_admitted")
    assert (admitted["by"], admitted["admitted_by"]) == ("seat1", "acc1")


def test_one_who_was_let_in_is_not_asked_about_again_also_after_a_restart(table: Table) -> None:
    doctor = table.open()
    _, interpreter = let_in(table, doctor, INTERPRETER)
    interpreter.close()
    table.clock.pass_by(minutes=5)
    table.signalling.tick()
    again = table.open(INTERPRETER, "page-two")
    assert lobby_states(again) == []
    table.restarted()
    table.said()
    assert "lobby" not in told(table.open(INTERPRETER, "page-two"))
    assert [join.role for join in table.said()] == ["interpreter"]


def test_one_who_is_turned_away_may_knock_again_after_a_minute(table: Table) -> None:
    doctor = table.open()
    interpreter = table.open(INTERPRETER)
    table.say("reject_party", peer=peer_of(doctor, "interpreter"))
    assert lobby_states(interpreter) == ["waiting", "rejected", "END"]
    assert newest(doctor)["lobby"] == []
    table.clock.pass_by(seconds=59)
    assert lobby_states(table.open(INTERPRETER)) == ["rejected", "END"]
    table.clock.pass_by(seconds=1)
    assert lobby_states(table.open(INTERPRETER)) == ["waiting"]
    assert [kind for kind, _ in table.notes if kind in {"knocked", "party_rejected"}] == [
        "knocked",
        "party_rejected",
        "knocked",
    ]


def test_a_second_person_with_the_same_link_is_marked_and_replaces_the_first_if_let_in(table: Table) -> None:
    doctor = table.open()
    first_peer, first = let_in(table, doctor, INTERPRETER)
    told(first)
    second = table.open(ELSEWHERE, "page-two")
    assert second.get(0) == {"type": "lobby", "state": "waiting", "second": True}
    (knock,) = newest(doctor)["lobby"]
    assert knock["second"] and knock["peer"] != first_peer
    assert told(first) == [], "nothing happens to the first before the chair has decided"
    table.said()
    table.say("admit_party", peer=knock["peer"])
    assert told(first) == ["replaced", "END"]
    said = sent(table)
    assert [(peer, type(signal)) for peer, signal in said] == [(first_peer, Bye), (knock["peer"], Join)]
    assert said[0][1].reason == "replaced"
    assert lobby_states(table.open(INTERPRETER, "page-three")) == ["waiting"], "the first has to knock now"


def test_four_take_part_and_the_next_comes_in_when_one_leaves(table: Table) -> None:
    doctor = table.open()
    for who in (INTERPRETER, RELATIVE, SPECIALIST):
        let_in(table, doctor, who)
    nurse = table.open(NURSE)
    assert lobby_states(nurse) == ["full"]
    guest = table.open(Attendee("seat7", "proxy", "link", knocks=True, seat="seat7", place="p"))
    with pytest.raises(Refused, match="no place"):
        table.say("admit_party", peer=peer_of(doctor, "proxy"))
    assert lobby_states(guest) == ["waiting"]
    table.said()
    table.say("leave", RELATIVE)
    assert lobby_states(nurse) == ["admitted"]
    assert [type(signal) for signal in table.said()] == [Bye, Join]


def test_the_lobby_has_an_end(table: Table) -> None:
    table.open()
    waiting = [replace(RELATIVE, seat=f"s{n}", id=f"s{n}") for n in range(MOST_WAITING + 1)]
    states = [lobby_states(table.open(who)) for who in waiting]
    assert states == [["waiting"]] * MOST_WAITING + [["full", "END"]]


def test_the_chair_passes_to_another_clinician_before_the_one_who_led_goes(table: Table) -> None:
    table.open()
    second = table.open(SECOND_DOCTOR)
    first_peer, second_peer = (peer for peer, _ in sent(table))
    assert newest(second)["chair"] == first_peer
    with pytest.raises(Refused, match="for the chair"):
        table.say("admit", SECOND_DOCTOR)
    table.say("leave")
    said = sent(table)
    assert [(peer, type(signal)) for peer, signal in said] == [
        (second_peer, Join),
        ("unit", Chair),
        (first_peer, Bye),
    ]
    assert (said[0][1].chair, said[1][1].holder) == (True, second_peer)
    assert newest(second)["chair"] == second_peer
    assert table.notes[-1] == ("chair_given", ""), "it says who has it now; nobody gave it"


def test_a_page_that_is_gone_for_longer_than_the_grace_loses_the_chair_unless_nobody_can_have_it(
    table: Table,
) -> None:
    doctor = table.open()
    nurse = table.open(NURSE)
    mine = newest(doctor)["you"]
    doctor.close()
    seen = newest(nurse)
    assert [one["here"] for one in seen["parties"]] == [False, True]
    table.clock.pass_by(seconds=21)
    table.signalling.tick()
    assert newest(nurse)["chair"] == mine, "staff do not get it by themselves"
    second = table.open(SECOND_DOCTOR)
    seen = newest(second)
    assert seen["chair"] == seen["you"]
    assert newest(table.open(instance="page-two"))["chair"] != mine


def test_staff_beside_the_patient_lead_let_in_and_hand_back(table: Table) -> None:
    doctor = table.open()
    interpreter = table.open(INTERPRETER)
    table.said()
    table.say("chair", holder="unit")
    joined, chair, lobby = sent(table)
    assert (joined[1].chair, chair) == (False, ("unit", chair[1]))
    assert chair[1].holder == "unit"
    (knock,) = lobby[1].waiting
    assert (knock.role, knock.identified) == ("interpreter", "link")
    with pytest.raises(Refused, match="for the chair"):
        table.say("admit_party", peer=knock.peer)

    table.signalling.from_unit("unit-1", SID, knock.peer, Admit(instance="boot", seq=1))
    assert lobby_states(interpreter) == ["waiting", "admitted"]
    assert [type(signal) for _, signal in sent(table)] == [Join, Lobby]
    relative = table.open(RELATIVE)
    peer = peer_of(doctor, "relative")
    table.signalling.from_unit("unit-1", SID, peer, Reject(instance="boot", seq=2))
    assert lobby_states(relative) == ["waiting", "rejected", "END"]

    mine = newest(table.open())["you"]
    table.signalling.from_unit("unit-1", SID, "unit", Chair(instance="boot", seq=3, holder=mine))
    assert newest(table.open())["chair"] == mine
    table.open(RELATIVE)
    table.signalling.from_unit("unit-1", SID, peer, Admit(instance="boot", seq=4))
    assert [type(s) for _, s in sent(table) if isinstance(s, Lobby)][-1:] == [Lobby]
    assert not any(kind == "party_admitted" and by == "seat2" for kind, by in table.notes)


def test_the_chair_is_given_to_those_who_may_have_it_and_a_clinician_takes_it_back_from_the_room(
    table: Table,
) -> None:
    doctor = table.open()
    peer, _ = let_in(table, doctor, INTERPRETER)
    nurse = table.open(NURSE)
    for holder in (peer, "nobodyhere", ""):
        with pytest.raises(Refused, match="may not lead"):
            table.say("chair", holder=holder)
    table.say("chair", holder=newest(nurse)["you"])
    assert newest(nurse)["chair"] == newest(table.open(NURSE))["you"]
    table.say("chair", NURSE, holder="unit")
    with pytest.raises(Refused):
        table.say("chair", NURSE, holder="unit")
    mine = newest(doctor)["you"]
    table.say("chair", holder=mine)
    assert newest(doctor)["chair"] == mine
    given = [fields for kind, fields in table.log if kind == "chair_given"]
    assert [(fields["to"], fields["to_role"]) for fields in given] == [
        ("acc2", "staff"),
        ("unit", "staff"),
        ("acc1", "clinician"),
    ]


def test_hold_and_not_the_patient_go_to_the_unit_on_the_chairs_own_topic(table: Table) -> None:
    doctor = table.open()
    table.open(NURSE)
    mine = newest(doctor)["you"]
    table.said()
    table.say("hold", on=True)
    assert newest(doctor)["held"] is True
    table.say("reject")
    assert newest(doctor)["held"] is False
    assert [(peer, type(signal)) for peer, signal in sent(table)] == [(mine, Hold), (mine, Reject)]
    assert table.notes[-1] == ("reject_asked", "acc1")
    for kind in ("hold", "reject"):
        with pytest.raises(Refused, match="for the chair"):
            table.say(kind, NURSE, on=True)


def test_one_who_is_shown_out_hears_it_loses_the_seat_and_has_to_knock(table: Table) -> None:
    doctor = table.open()
    peer, interpreter = let_in(table, doctor, INTERPRETER)
    nurse = table.open(NURSE)
    nurse_peer = newest(nurse)["you"]
    table.said(), told(interpreter)
    table.say("remove_party", peer=peer)
    table.say("remove_party", peer=nurse_peer)
    assert told(interpreter) == ["bye", "END"]
    assert [(at, signal.reason) for at, signal in sent(table)] == [
        (peer, "rejected"),
        (nurse_peer, "rejected"),
    ]
    assert table.closed_seats == ["seat1"]
    assert lobby_states(table.open(NURSE)) == ["waiting"]
    with pytest.raises(Refused, match="leave instead"):
        table.say("remove_party", peer=newest(doctor)["you"])


def test_an_interpreter_who_only_hears_is_joined_so_by_a_new_offer(table: Table) -> None:
    doctor = table.open()
    peer, interpreter = let_in(table, doctor, INTERPRETER)
    before = next(signal for at, signal in sent(table) if at == peer)
    table.say("sees", peer=peer, on=False)
    ((at, join),) = sent(table)
    assert (at, join.sees, join.role) == (peer, False, "interpreter")
    assert join.instance != before.instance, "to the unit a new page, so that it makes a new offer"
    mine = next(one for one in newest(interpreter)["parties"] if one["peer"] == peer)
    assert mine["sees"] is False
    table.restarted()
    table.open(INTERPRETER)
    assert table.said()[-1].sees is False
    with pytest.raises(Refused):
        table.say("sees", INTERPRETER, peer=peer, on=True)
    table.open()
    with pytest.raises(Refused, match="interpreter"):
        table.say("sees", peer=newest(table.open())["you"], on=False)


def test_sharing_is_turned_on_with_consent_for_those_present_and_off_when_someone_new_comes(
    table: Table,
) -> None:
    doctor = table.open()
    let_in(table, doctor, INTERPRETER)
    table.said()
    with pytest.raises(Refused, match="for the chair"):
        table.say("sharing", INTERPRETER, on=True, organisations=["Norra"])
    with pytest.raises(Refused, match="at least one"):
        table.say("sharing", on=True, organisations=[" "])
    table.say("sharing", on=True, organisations=["Norra", "Tolkförmedlingen", "Norra"])
    assert newest(doctor)["sharing"] == {"on": True, "organisations": ["Norra", "Tolkförmedlingen"]}
    ((at, told_unit),) = sent(table)
    assert isinstance(told_unit, Sharing)
    assert (at, told_unit.on, told_unit.organisations) == ("unit", True, ("Norra", "Tolkförmedlingen"))
    noted = table.log[-1]
    assert noted[0] == "sharing_noted"
    assert noted[1]["organisations"] == "Norra; Tolkförmedlingen"
    assert (noted[1]["by"], noted[1]["sharing"]) == ("acc1", "on")
    assert newest(table.open(INTERPRETER, "page-two"))["sharing"]["on"], "they were there"
    table.open(NURSE)
    assert newest(doctor)["sharing"] == {"on": False, "organisations": []}
    assert table.log[-1][1]["reason"] == "new_party"


def test_what_is_shown_has_a_connection_of_its_own_on_the_same_feed(table: Table) -> None:
    doctor = table.open()
    interpreter_peer, interpreter = let_in(table, doctor, INTERPRETER)
    with pytest.raises(Refused, match="is off"):
        table.say("share", INTERPRETER, on=True)
    table.say("sharing", on=True, organisations=["Norra"])
    told(interpreter), table.said()
    table.say("share", INTERPRETER, on=True)
    table.say("share", INTERPRETER, on=True)
    ((share_peer, join),) = sent(table)
    assert (join.share_of, join.role, join.chair) == (interpreter_peer, "interpreter", False)
    assert share_peer != interpreter_peer
    assert [one["share"] for one in newest(doctor)["parties"]] == [False, True]

    told(interpreter)
    table.signalling.from_unit("unit-1", SID, share_peer, offer())
    message = interpreter.get(0)
    assert message is not None
    assert (message["type"], message["share"]) == ("offer", True)
    table.say("answer", INTERPRETER, attempt=1, sdp="v=0", share=True)
    table.say("candidate", INTERPRETER, attempt=1, candidate="", share=True)
    table.say("resync", INTERPRETER, share=True)
    table.say("answer", INTERPRETER, attempt=2, sdp="v=0")
    said = sent(table)
    assert [at for at, _ in said] == [share_peer] * 3 + [interpreter_peer]
    assert said[0][1].instance == join.instance != said[2][1].instance

    table.say("sharing", on=False, organisations=[])
    told_bye = [message for message in iter(lambda: interpreter.get(0), None) if message["type"] == "bye"]
    assert told_bye == [{"type": "bye", "reason": "rejected", "share": True}]
    assert [(at, type(signal)) for at, signal in sent(table)] == [(share_peer, Bye), ("unit", Sharing)]
    with pytest.raises(Refused, match="is not on"):
        table.say("answer", INTERPRETER, attempt=1, sdp="v=0", share=True)
    table.say("share", on=True)  # the clinician who leads may always show
    assert [signal.share_of for _, signal in sent(table)] == [newest(doctor)["you"]]


@pytest.mark.parametrize("how", ["off", "leave", "reload", "lost", "removed", "unit"])
def test_a_shown_screen_ends_with_whatever_ends_it(table: Table, how: str) -> None:
    doctor = table.open()
    peer, interpreter = let_in(table, doctor, INTERPRETER)
    table.say("sharing", on=True, organisations=["Norra"])
    table.say("share", INTERPRETER, on=True)
    share_peer = sent(table)[-1][0]
    match how:
        case "off":
            table.say("share", INTERPRETER, on=False)
        case "leave":
            table.say("leave", INTERPRETER)
        case "reload":
            table.open(INTERPRETER, "page-two")
        case "lost":
            interpreter.close()
            table.clock.pass_by(seconds=30)
            table.signalling.tick()
        case "removed":
            table.say("remove_party", peer=peer)
        case "unit":
            bye = Bye(instance="boot", seq=1, reason="left")
            table.signalling.from_unit("unit-1", SID, share_peer, bye)
    ends = [signal.reason for at, signal in sent(table) if at == share_peer and isinstance(signal, Bye)]
    assert len(ends) == (0 if how == "unit" else 1)
    assert not any(one["share"] for one in newest(doctor)["parties"])


def test_pages_talk_to_each_other_through_the_region_and_to_nobody_else(table: Table) -> None:
    doctor = table.open()
    peer, interpreter = let_in(table, doctor, INTERPRETER)
    waiting = table.open(RELATIVE)
    outside, mine = peer_of(doctor, "relative"), newest(table.open())["you"]
    table.said(), told(interpreter), told(waiting)
    message = {"kind": "offer", "attempt": 1, "sdp": "v=0", "candidate": None, "sdp_mid": None}
    table.say("mesh", to=peer, sdp_m_line_index=None, **message)
    heard = interpreter.get(0)
    assert heard == {
        "type": "mesh",
        "from": mine,
        **message,
        "sdp_m_line_index": None,
        "ice_servers": [],
        "ice_transport_policy": "all",
    }
    table.say("mesh", INTERPRETER, to=mine, kind="candidate", attempt=1, candidate="c")
    assert table.said() == [], "nothing of it goes to the unit"
    for to in (outside, mine, "nobodyhere"):
        with pytest.raises(Refused, match="not in the meeting"):
            table.say("mesh", to=to, kind="offer", attempt=1)
    assert told(waiting) == []


def test_a_page_that_talks_too_much_is_refused_and_may_again_later(table: Table) -> None:
    doctor = table.open()
    peer, interpreter = let_in(table, doctor, INTERPRETER)
    told(interpreter)
    with pytest.raises(Refused, match="too often"):
        for _ in range(60):
            table.say("mesh", to=peer, kind="candidate", attempt=1, candidate="c")
    assert len(told(interpreter)) <= 40
    table.clock.pass_by(seconds=1)
    table.say("mesh", to=peer, kind="candidate", attempt=1, candidate="c")
    with pytest.raises(Refused, match="too often"):
        for _ in range(300):
            table.say("candidate", INTERPRETER, attempt=1, candidate="")


def test_after_a_restart_of_the_region_it_all_stands_as_it_stood(table: Table) -> None:
    doctor = table.open()
    peer, _ = let_in(table, doctor, INTERPRETER)
    nurse = table.open(NURSE)
    table.say("sharing", on=True, organisations=["Norra"])
    table.say("sees", peer=peer, on=False)
    table.say("chair", holder=newest(nurse)["you"])
    table.say("share", INTERPRETER, on=True)
    share_peer = sent(table)[-1][0]
    before = newest(nurse)
    table.clock.pass_by(seconds=3)
    table.restarted()
    table.open(INTERPRETER)
    table.open(DOCTOR)
    nurse = table.open(NURSE)
    after = newest(nurse)
    assert (after["chair"], after["sharing"]) == (before["chair"], before["sharing"])
    assert {one["peer"]: one for one in after["parties"]} == {one["peer"]: one for one in before["parties"]}
    said = sent(table)
    assert (share_peer, peer) in [(at, signal.share_of) for at, signal in said if isinstance(signal, Join)]
    table.restarted()
    table.open(INTERPRETER, "page-two")
    assert [signal.reason for at, signal in sent(table) if at == share_peer] == ["left"]


def test_a_unit_that_is_back_is_told_who_leads_what_may_be_shown_and_that_the_patient_waits(
    table: Table,
) -> None:
    table.open()
    table.say("hold", on=True)
    table.say("sharing", on=True, organisations=["Norra"])
    table.said()
    table.signalling.unit_is_back("unit-1")
    assert [type(signal) for signal in table.said()] == [Join, Sharing, Hold]
    table.say("hold", on=False)
    table.say("chair", holder="unit")
    table.said()
    table.signalling.unit_is_back("unit-1")
    assert [type(signal) for signal in table.said()] == [Join, Chair, Sharing]


def test_a_hold_is_over_when_the_room_leads_and_told_anew_when_the_one_who_holds_is_back(
    table: Table,
) -> None:
    doctor = table.open()
    table.say("hold", on=True)
    table.signalling.unit_is_back("unit-1")
    table.said()
    table.open(instance="page-two")
    assert [type(signal) for signal in table.said()] == [Join, Hold]
    table.say("chair", instance="page-two", holder="unit")
    assert newest(table.open(NURSE))["held"] is False
    doctor.close()


def test_when_the_session_is_over_those_outside_hear_it_and_nothing_is_kept(table: Table) -> None:
    doctor = table.open()
    _, interpreter = let_in(table, doctor, INTERPRETER)
    relative = table.open(RELATIVE)
    table.facts.over = True
    table.standings.save(SID, Standing())
    table.signalling.over(SID)
    assert lobby_states(relative) == ["waiting", "ended", "END"]
    assert told(interpreter)[-2:] == ["bye", "END"]
    doctor.close()
    assert table.standings.load(SID).chair == "", "what is over is not kept anew"
    assert told(table.open(SECOND_DOCTOR)) == ["bye"]
    assert lobby_states(table.open(RELATIVE, "page-two")) == ["ended"]


def test_a_withdrawn_seat_empties_wherever_its_holder_is(table: Table) -> None:
    doctor = table.open()
    _, interpreter = let_in(table, doctor, INTERPRETER)
    relative = table.open(RELATIVE)
    assert table.signalling.seats_taken(SID) == {"seat1": "inside", "seat2": "waiting"}
    told(interpreter), table.said()
    table.signalling.close_seat(SID, "seat1")
    table.signalling.close_seat(SID, "seat2")
    assert told(interpreter) == ["lobby", "bye", "END"]
    assert lobby_states(relative) == ["waiting", "closed", "END"]
    assert [signal.reason for signal in table.said()] == ["rejected"]
    assert [one["role"] for one in newest(doctor)["parties"]] == ["clinician"]


def test_ending_passes_the_chair_to_nobody_and_a_saved_still_is_noted_by_who_may(table: Table) -> None:
    doctor = table.open()
    let_in(table, doctor, SPECIALIST)
    let_in(table, doctor, INTERPRETER)
    table.open(SECOND_DOCTOR)
    table.say("still_saved", SPECIALIST)
    assert table.notes[-1] == ("still_saved", "acc5")
    with pytest.raises(Refused, match="clinician or a specialist"):
        table.say("still_saved", INTERPRETER)
    table.said()
    table.say("end")
    (bye,) = table.said()
    assert isinstance(bye, Bye) and bye.end


def test_a_page_that_is_loaded_anew_is_another_page_to_the_others_and_no_other_person(table: Table) -> None:
    doctor = table.open()
    peer, _ = let_in(table, doctor, INTERPRETER)

    def as_seen() -> dict[str, Any]:
        return next(one for one in newest(doctor)["parties"] if one["peer"] == peer)

    before = as_seen()
    table.open(INTERPRETER, "page-two")  # its old feed is not known to be dead yet
    after = as_seen()
    assert before["here"] and after["here"]
    assert after["page"] != before["page"], "so that they connect to it anew at once"
    table.restarted()
    doctor = table.open()
    table.open(INTERPRETER, "page-two")
    assert as_seen()["page"] == after["page"]
