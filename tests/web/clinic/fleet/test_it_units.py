"""IT's front page: how the fleet is, and the list."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from clinic_fakes import CANARY
from fleet_fakes import FakeFleet
from fleet_units import TROUBLES, enrolment


def listed(page: str) -> list[str]:
    return re.findall(r'data-unit="([^"]+)"', page)


def test_it_says_how_many_are_how_and_shows_what_is_wrong_first(ivar):
    page = ivar.get("/it").text
    assert re.search(r"<strong>24</strong> i allt", page)
    assert re.search(r"<strong>3</strong> fungerar inte", page)
    assert listed(page)[:3] == ["u-001", "u-002", "u-008"]
    assert "Något i rummet fungerar inte." in page
    assert "Certifikatet har gått ut." in page


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("health=bad", ["u-001", "u-002", "u-008"]),
        ("text=HR-2025-00012", ["u-012"]),
        ("text=rum+13", ["u-013"]),
        ("config=rejected", ["u-003"]),
        ("clinic=Kusten&health=bad", ["u-008"]),
        ("software=1.4.1&health=attention", ["u-004", "u-010"]),
        ("text=nobody", []),
    ],
)
def test_the_list_is_narrowed(ivar, asked, found):
    assert listed(ivar.get(f"/it?{asked}").text) == found
    assert listed(ivar.get(f"/api/it/units?{asked}").text) == found


@pytest.mark.parametrize(
    "asked", ["health=dancing", "config=9", "page=0", "page=-4", "page=٣", f"page={'9' * 40}", "page=x"]
)
def test_what_makes_no_sense_is_as_if_it_were_not_asked(ivar, asked):
    assert len(listed(ivar.get(f"/it?{asked}").text)) == 24


def test_a_long_list_has_pages_and_keeps_what_was_asked_for(ivar, fleet, region):
    fleet.lines = FakeFleet(region.now, 120).lines
    page = ivar.get("/it?clinic=Kusten&text=rum").text
    assert "1–30 av 30" in page
    first, last = ivar.get("/it").text, ivar.get("/it?page=3").text
    assert "1–50 av 120" in first
    assert 'href="/it?page=2"' in first
    assert listed(last) == listed(ivar.get("/it?page=7").text)
    assert len(listed(last)) == 20


def test_a_page_that_stays_true_is_sent_nothing_while_nothing_changes(ivar, fleet):
    first = ivar.get("/api/it/units")
    same = ivar.client.get("/api/it/units", headers={"If-None-Match": first.headers["ETag"]})
    assert (same.status_code, same.text) == (304, "")
    fleet.lines["u-020"] = replace(fleet.lines["u-020"], health="bad", reasons=("lost",))
    changed = ivar.client.get("/api/it/units", headers={"If-None-Match": first.headers["ETag"]})
    assert listed(changed.text)[2:4] == ["u-008", "u-020"]


def test_what_units_and_rooms_are_called_is_text(ivar, fleet):
    line = fleet.lines["u-001"]
    fleet.lines["u-001"] = replace(line, room=CANARY, software=CANARY, reasons=(CANARY,), serial=CANARY)
    for path in ("/it", "/it?text=canary", f"/it?text={CANARY}", "/it/unit/u-001"):
        assert CANARY not in ivar.get(path).text


def test_an_empty_fleet_says_what_to_do(ivar, fleet):
    fleet.lines = {}
    assert "Vid dörren" in ivar.get("/it").text
    assert "Inga enheter än." in ivar.get("/it").text


@pytest.mark.parametrize("number", range(1, len(TROUBLES) + 1))
def test_every_trouble_has_words_and_something_to_do(ivar, number):
    page = ivar.get(f"/it/unit/u-{number:03d}").text
    assert "Gör först:" in page
    for reason in TROUBLES[number - 1]["reasons"]:
        assert f">{reason}<" not in page


def test_a_unit_that_is_well_asks_for_nothing(ivar):
    assert "Gör först:" not in ivar.get("/it/unit/u-015").text


def test_it_says_how_many_wait_to_be_let_in(ivar, fleet, region):
    assert "väntar på att släppas in" not in ivar.get("/it").text
    heard = (0, 1, 30)
    fleet.door = {n: enrolment(n, region.now, f"HS-{n}", minutes=minutes) for n, minutes in enumerate(heard)}
    for address in ("/it", "/api/it/units"):
        assert "2 enheter väntar på att släppas in" in ivar.get(address).text
