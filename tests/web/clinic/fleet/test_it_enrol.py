"""At the door: the words are heard before anyone is let in, and each decision is made once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from clinic_fakes import CANARY
from fleet_units import WORDS, enrolment

from web.clinic.services import Refused


@pytest.fixture
def door(fleet, region):
    fleet.door = {
        1: enrolment(1, region.now, "HR-1"),
        2: enrolment(2, region.now, "HR-7", why="expired", was="u-007", words=WORDS[2], minutes=9),
        3: enrolment(3, region.now, "HR-9", rival=True),
        4: enrolment(4, region.now, "HR-9", rival=True, words=WORDS[2]),
    }
    return fleet.door


YES = {"heard": "yes", "unit": "rum-99", "room": "r-free"}


def test_who_waits_is_shown_with_their_words_and_who_asks_now_comes_first(ivar, door):
    page = ivar.get("/it/enrol").text
    assert all(f"<li>{word}</li>" in page for word in WORDS[1])
    assert "certifikatet gick ut, hette u-007" in page
    assert page.index("HR-1<") < page.index("HR-7<")
    assert "den kan vara avstängd" in page
    assert page.count("En av dem kan vara en kopia") == 2


def test_one_that_is_in_is_not_said_to_be_switched_off(ivar, fleet, door):
    fleet.door[1] = replace(fleet.door[1], at_the_door=False)
    assert "den kan vara avstängd" in ivar.get("/api/it/enrol/1").text
    fleet.door[1] = replace(fleet.door[1], state="proven", unit="hr-1")
    assert "den kan vara avstängd" not in ivar.get("/api/it/enrol/1").text


def test_approval_gives_name_and_room(ivar, fleet, door):
    page = ivar.get("/it/enrol/1").text
    assert 'value="hr-1"' in page
    answer = ivar.post("/it/enrol/1/approve", **YES)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/it/enrol/1")
    assert ("approve", 1, "rum-99", "r-free") in fleet.calls
    assert "Enheten byter identitet" in ivar.get("/it/enrol/1").text
    assert 'id="approve"' not in ivar.get("/it/enrol/1").text


def test_who_comes_back_is_offered_the_name_and_the_room_it_had(ivar, door):
    page = ivar.get("/it/enrol/2").text
    assert 'value="u-007"' in page
    assert '<option value="r7" selected>' in page


def test_a_box_that_says_another_ones_name_is_not_offered_its_room(ivar, region, door):
    door[1] = replace(enrolment(1, region.now, "HR-1", why="expired", was="u-007"), proposed_unit="unit-1")
    page = ivar.get("/it/enrol/1").text
    assert 'value="unit-1"' in page
    assert '<option value="r7" selected>' not in page


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"heard": ""}, "heard"),
        ({"unit": ""}, "unit"),
        ({"unit": "Rum 99"}, "unit"),
        ({"unit": "../etc"}, "unit"),
        ({"unit": "ångström"}, "unit"),
        ({"unit": "u" * 64}, "unit"),
        ({"unit": "u-001"}, "unit"),
        ({"room": "nowhere"}, "room"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(ivar, fleet, door, changes, field):
    answer = ivar.post("/it/enrol/1/approve", **(YES | changes))
    assert answer.status_code == 422
    assert f'id="{field}-problem"' in answer.text
    assert f'value="{(YES | changes)["unit"]}"' in answer.text
    assert fleet.calls == []


def test_a_name_that_another_box_has_is_taken_over_only_when_that_is_said(ivar, fleet, door):
    refused = ivar.post("/it/enrol/1/approve", **(YES | {"unit": "u-001"}))
    assert 'name="confirmed"' in refused.text
    ivar.post("/it/enrol/1/approve", **(YES | {"unit": "u-001", "confirmed": "yes"}))
    assert fleet.calls == [("approve", 1, "u-001", "r-free")]


def test_two_presses_approve_once(ivar, fleet, door):
    answers = [ivar.post("/it/enrol/1/approve", once="n1", **YES) for _ in range(2)]
    assert [answer.headers["Location"] for answer in answers] == ["/it/enrol/1"] * 2
    assert [call[0] for call in fleet.calls] == ["approve"]


def test_a_rival_is_warned_of_with_the_other_ones_words(ivar, door):
    page = ivar.get("/it/enrol/3").text
    assert 'id="rival"' in page
    assert ", ".join(WORDS[2]) in page


def test_rejection_needs_a_reason_which_is_one_line_of_text(ivar, fleet, door):
    assert 'id="reason-problem"' in ivar.post("/it/enrol/1/reject", reason="  ").text
    assert ivar.post("/it/enrol/1/reject", reason="x" * 201).status_code == 422
    ivar.post("/it/enrol/1/reject", reason=f"{CANARY}\nFel\u202eord")
    assert fleet.calls == [("reject", 1, f"{CANARY} Fel ord")]
    page = ivar.get("/it/enrol").text
    assert "Avvisad" in page
    assert CANARY not in page


def test_what_the_region_refuses_is_said_in_words(ivar, fleet, door):
    fleet.refuse["approve"] = Refused("enrolment", "the serial number HR-1 is not armed; arm it first")
    answer = ivar.post("/it/enrol/1/approve", **YES)
    assert answer.status_code == 422
    assert "Serienumret får inte fråga." in answer.text


def test_one_that_is_not_there_and_one_that_a_colleague_has_decided(ivar, door):
    assert ivar.get("/it/enrol/99").status_code == 404
    assert ivar.post("/it/enrol/99/reject", reason="x").status_code in {404, 422, 500}
    door[1] = replace(door[1], state="proven", unit="rum-99", decided_by="Cia It")
    assert 'data-state="proven"' in ivar.get("/api/it/enrol/1").text
    assert 'href="/it/unit/rum-99"' in ivar.get("/it/enrol/1").text


@pytest.mark.parametrize(("do", "state"), [("arm", "armed"), ("block", "blocked")])
def test_a_serial_number_is_armed_or_blocked(ivar, fleet, do, state):
    answer = ivar.post("/it/bootstrap", serial=" HR-5 ", do=do)
    assert answer.headers["Location"] == f"/it/enrol?said={state}"
    assert fleet.identities["HR-5"].state == state
    assert "HR-5" in ivar.get(answer.headers["Location"]).text


@pytest.mark.parametrize(
    "form", [{"serial": "", "do": "arm"}, {"serial": "x" * 64, "do": "arm"}, {"serial": "HR-5", "do": "x"}]
)
def test_no_serial_number_and_no_such_deed(ivar, fleet, form):
    assert ivar.post("/it/bootstrap", **form).status_code in {400, 422}
    assert fleet.calls == []


def test_an_unknown_serial_number_is_said_to_be_so(ivar, fleet):
    fleet.refuse["arm"] = Refused("serial", "HR-5 has never been seen here")
    answer = ivar.post("/it/bootstrap", serial="HR-5", do="arm")
    assert "aldrig setts här" in answer.text
    assert 'value="HR-5"' in answer.text
