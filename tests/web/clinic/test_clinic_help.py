"""The bar of calls for help: on every page of those who may answer, in words, with one thing to do."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from clinic_fakes import CANARY, SID

from web.clinic.services import Account, HelpLine


@pytest.fixture
def call(region) -> HelpLine:
    return HelpLine("unit-1", "a1b2", "Rum 1", region.now - timedelta(minutes=3), rings=True)


def bar(page: str) -> str:
    return re.search(r'<div id="help-calls".*?</section>', page, re.DOTALL)[0]


@pytest.mark.parametrize("path", ["/today", "/booking", "/calls", f"/sessions/{SID}", f"/meeting/{SID}"])
def test_it_stands_on_every_page_and_is_empty_while_nobody_calls(anna, region, call, path):
    region.add()
    assert "data-help" not in bar(anna.get(path).text)
    region.call_for_help(call)
    page = bar(anna.get(path).text)
    assert 'data-rings="yes"' in page
    assert "Rum 1: någon behöver hjälp, sedan 09:57 (3 min)." in page
    assert 'action="/help/unit-1/a1b2/come"' in page


def test_coming_is_one_press_that_works_without_a_script_and_comes_back(bo, region, call):
    region.call_for_help(call)
    answer = bo.post("/help/unit-1/a1b2/come", back="/booking")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/booking")
    page = bar(bo.get("/today").text)
    assert "Du är på väg." in page
    assert "<button data-action" not in page
    assert bo.post("/help/unit-1/a1b2/come", back="//elsewhere.example").headers["Location"] == "/today"


def test_the_others_read_who_goes(bo, region, call):
    region.call_for_help(replace(call, rings=False, answered_at=region.now, answered_by=CANARY))
    page = bo.get("/api/help").text
    assert 'data-rings="no"' in page
    assert "alert(&#39;canary&#39;)&lt;/script&gt; är på väg." in page
    assert "<button" not in page


def test_what_comes_too_late_says_so_with_its_day_and_does_not_ring(bo, region, call):
    asked_at = region.now - timedelta(days=1)
    region.call_for_help(replace(call, asked_at=asked_at, rings=False, late=True))
    page = bo.get("/api/help").text
    assert "Rum 1: någon bad om hjälp 2026-03-01 10:00, när rummet saknade kontakt" in page
    assert 'data-rings="no"' in page
    assert "Jag har sett det" in page


def test_a_call_that_is_over_is_said_to_be(bo, region):
    answer = bo.post("/help/unit-1/a1b2/come")
    assert (answer.status_code, answer.text) == (409, "Larmet är över: det togs tillbaka i rummet.")


def test_strangers_and_it_have_no_bar_and_no_answer(stranger, bo, region, call):
    region.call_for_help(call)
    assert 'id="help"' not in stranger.get("/visit").text
    assert stranger.get("/api/help").status_code == 401
    assert stranger.post("/help/unit-1/a1b2/come").headers["Location"] == "/sign-in"
    assert region.help == [call]
    region.accounts["bo"] = Account("a2", "Bo Ek", "it", "Kusten")
    assert 'id="help"' not in bo.get("/calls").text


def test_an_answer_needs_this_pages_token(bo, region, call):
    region.call_for_help(call)
    assert bo.client.post("/help/unit-1/a1b2/come").status_code == 400
    assert region.help == [call]
