"""Who waits where in the clinic's queues, and what becomes of a click."""

from __future__ import annotations

from datetime import timedelta

import pytest
from clinic_fakes import CANARY, SID

from web.clinic.log_words import log_lines
from web.clinic.services import LogLine, QueueRow, Waiting
from web.clinic.texts import load


@pytest.fixture
def queue(region):
    first = Waiting(1, region.all_rooms["r2"], region.now - timedelta(minutes=4))
    second = Waiting(2, region.all_rooms["r1"], region.now)
    region.waiting["jour"] = QueueRow("jour", CANARY, (first, second))
    return region.waiting


def test_it_says_who_waits_where_since_when_and_how_the_room_is(anna, queue):
    page = anna.get("/queue").text
    assert page.index("Rum 2") < page.index("Rum 1")
    assert "Väntar sedan 09:56 (4 min)" in page
    assert "Kameran svarar inte." in page
    assert page.count('data-action="take"') == 2
    assert CANARY not in page
    assert anna.get("/api/queue").text.count("data-entry") == 2


@pytest.mark.parametrize(("form", "left"), [({}, [2]), ({"entry": "2"}, [1])])
def test_one_click_takes_the_next_or_the_one_pressed_and_opens_its_meeting(anna, queue, form, left):
    answer = anna.post("/queue/jour/take", **form)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/meeting/{SID}")
    assert [each.id for each in queue["jour"].waiting] == left


@pytest.mark.parametrize("entry", ["3", "x", "-1", "٣", "9" * 20])
def test_who_was_slower_is_told_so_and_sees_the_rest(anna, queue, entry):
    answer = anna.post("/queue/jour/take", entry=entry)
    assert answer.status_code == 409
    assert "En kollega hann före" in answer.text
    assert "Rum 2" in answer.text


def test_staff_see_the_queue_and_take_nobody(bo, queue):
    assert "data-action" not in bo.get("/queue").text
    assert bo.post("/queue/jour/take").status_code == 403


def test_a_clinic_without_queues_or_with_an_empty_one_is_told_so(anna, region):
    assert "Din mottagning har ingen kö" in anna.get("/queue").text
    region.waiting["jour"] = QueueRow("jour", "Jouren")
    page = anna.get("/queue").text
    assert "Ingen väntar" in page
    assert "data-action" not in page


def test_strangers_see_nothing(stranger, queue):
    assert stranger.get("/queue").status_code == 302
    assert stranger.get("/api/queue").status_code in {302, 401}


def test_an_overrun_stands_at_both_sessions(anna, region):
    region.add(state="in_call", next_waits="B22")
    region.add("b" * 12, ref="B22", held_by="A17")
    page = anna.get("/today").text
    assert "Rummet är fortfarande upptaget av A17." in page
    assert "Nästa, B22, väntar på rummet." in page


def test_the_log_names_the_member_of_staff_by_label_and_id(region):
    fields = {"how": "staff", "staff": "k3f9q2m4"}
    line = LogLine(region.now, "unit", "checked_in", fields, {"k3f9q2m4": "Anna"})
    (said,) = log_lines([line], load()["sv"], lambda at: at)
    assert said.details == "av personal, personal vid skärmen: Anna (k3f9q2m4)"
