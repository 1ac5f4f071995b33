"""Booked today, not ready: one thing to do, in the unit's own words, with what can be done from here."""

from __future__ import annotations

from dataclasses import replace

import pytest
from readiness_fakes import COVERED, FakeReadiness

from agent.contract.instructions import text
from web.clinic.services import NotAllowed, Refused
from web.clinic.state import EXTENSION


@pytest.fixture
def rooms():
    return FakeReadiness()


@pytest.fixture
def staff(app, rooms, bo):
    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], readiness=rooms)
    return bo


def test_each_room_says_one_thing_to_do_and_what_can_be_done_from_here(staff):
    page = staff.get("/readiness").text
    said = text("sv", "camera_covered")
    for words in (said.fault, said.do, "Rum 2", "A17", "och 2 till i dag", "Vaktmästaren fick veta", "Rum 1"):
        assert words in page, words
    assert page.count('data-action="try"') == page.count('data-action="move"') == 1
    assert page.count(text("sv", "camera_turned").do) == 0


def test_try_again_and_move_are_one_touch_each_and_come_back_where_they_were(staff, rooms):
    assert staff.post("/readiness/r2/try", back="/today").headers["Location"] == "/today"
    assert staff.post(f"/readiness/{'s' * 12}/move", room="r1").headers["Location"] == "/readiness"
    assert rooms.done == [("try", "a2", "r2"), ("move", "a2", "s" * 12, "r1")]
    assert (
        staff.post("/readiness/r2/try", back="https://elsewhere.example/").headers["Location"] == "/readiness"
    )


def test_what_is_refused_says_why(staff, rooms):
    rooms.refuses = Refused("room", "cannot be reached: there is no unit in it")
    assert staff.post("/readiness/r2/try").status_code == 409
    rooms.refuses = NotAllowed("another clinic's")
    assert staff.post("/readiness/r2/try").status_code in {403, 404}


def test_the_day_begins_with_it_and_other_days_do_not(staff, rooms):
    assert 'data-instruction="camera_covered"' in staff.get("/today").text
    assert 'data-instruction="camera_covered"' in staff.get("/api/today").text
    assert "camera_covered" not in staff.get("/today?day=2026-03-03").text
    rooms.found = []
    assert "not-ready-heading" not in staff.get("/today").text
    assert "Alla rum som är bokade i dag är klara" in staff.get("/readiness").text


def test_a_room_that_tests_itself_or_only_warns_says_so(staff, rooms):
    rooms.found = [replace(COVERED, is_trying=True, targets=(), level="warn")]
    page = staff.get("/api/readiness").text
    assert "Rummet testar sig nu" in page and "Rummet går att använda" in page
    assert 'data-action="try"' not in page and "Inget annat rum" not in page


def test_nobody_sees_it_who_has_not_signed_in(stranger):
    assert stranger.get("/readiness").status_code in {302, 303, 401}


def test_a_months_figures_are_drawn_and_stand_in_a_table_and_a_file(staff):
    page = staff.get("/readiness/figures?month=2026-03").text
    assert "<svg" in page and "7 (70 %)" in page and text("sv", "camera_covered").fault in page
    assert 'href="/readiness/figures?month=2026-02"' in page
    file = staff.get("/readiness/figures.csv?month=2026-03")
    assert file.mimetype == "text/csv" and "unit-2,2026-03" in file.text
    for none in ("soon", "0001-01", "9999-12"):
        assert staff.get(f"/readiness/figures?month={none}").status_code == 400
