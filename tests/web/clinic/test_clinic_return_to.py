"""Back to where someone came from, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from clinic_fakes import SID
from conftest import NOW, SETTINGS, Browser, Clock

from web.clinic.app import hold
from web.clinic.return_to import allowed, is_beginning
from web.clinic.state import EXTENSION

ALLOWED = ("https://journal.example/patient/", "https://tid.example:8443", "http://localhost:3000/dev/")
GOOD = "https://journal.example/patient/open?id=7#top"


@pytest.mark.parametrize(
    "address",
    [
        GOOD,
        "https://journal.example/patient/",
        "https://JOURNAL.example:443/patient/x",
        "https://tid.example:8443/any/where",
        "https://tid.example:8443",
        "http://localhost:3000/dev/x",
    ],
)
def test_what_begins_as_the_settings_say_is_followed(address):
    assert allowed(address, ALLOWED)


@pytest.mark.parametrize(
    "address",
    [
        "https://journal.example/patientlist",
        "https://journal.example/",
        "https://journal.example.evil.example/patient/",
        "https://journal.example@evil.example/patient/",
        "https://evil.example\\@journal.example/patient/",
        "https://journal.example\\.evil.example/patient/",
        "http://journal.example/patient/",
        "https://journal.example:444/patient/",
        "https://journal.example/patient/../admin",
        "https://journal.example/patient/%2e%2e/admin",
        "https://journal.example/patient/..%5cadmin",
        "//journal.example/patient/",
        "/patient/",
        "javascript:alert(1)//journal.example/patient/",
        "https://journal.example/patient/\nx",
        "https://journal.example/patient/ x",
        "https://journal.example:99999/patient/",
        "https://[journal.example/patient/",
        "https://tid.example:8443.evil.example/",
        "https://journal.example/patient/" + "x" * 600,
        "",
    ],
)
def test_anything_else_is_not(address):
    assert not allowed(address, ALLOWED)


@pytest.mark.parametrize(
    ("address", "can"),
    [
        ("https://journal.example/", True),
        ("http://localhost:3000/", True),
        ("http://journal.example/", False),
        ("https://journal.example/?x=1", False),
        ("journal.example", False),
    ],
)
def test_what_can_stand_in_the_settings(address, can):
    assert is_beginning(address) is can


@pytest.fixture
def app(built, region):
    settings = replace(SETTINGS, return_to=ALLOWED)
    built.extensions[EXTENSION] = hold(region, region, settings, Clock())
    return built


def back_link(browser: Browser, path: str) -> str:
    return browser.get(path).text.split('id="back" href="')[1].split('"')[0]


def test_from_a_link_through_the_sign_in_to_the_end_of_the_meeting(stranger, region):
    region.add(state="wiped")
    stranger.client.get(f"/meeting/{SID}", query_string={"return_to": GOOD})
    onward = stranger.sign_in().headers["Location"]
    stranger.get(onward)
    assert back_link(stranger, f"/meeting/{SID}/ended") == GOOD
    assert "Klar" in stranger.get(f"/meeting/{SID}/ended").text


def test_it_holds_for_that_meeting_alone_and_ends_with_the_sign_in(anna, region):
    region.add(state="wiped")
    region.add("b" * 12, state="wiped")
    anna.client.get(f"/sessions/{SID}", query_string={"return_to": GOOD})
    assert back_link(anna, f"/meeting/{'b' * 12}/ended") == "/today"
    assert back_link(anna, f"/meeting/{SID}/ended") == GOOD
    anna.post("/sign-out")
    anna.sign_in()
    assert back_link(anna, f"/meeting/{SID}/ended") == "/today"


def test_an_address_elsewhere_is_ignored_with_a_line_that_does_not_repeat_it(anna, region, caplog):
    region.add(state="wiped")
    answer = anna.client.get(f"/meeting/{SID}", query_string={"return_to": "https://evil.example/canary"})
    assert answer.status_code == 200
    assert back_link(anna, f"/meeting/{SID}/ended") == "/today"
    assert "a return_to was not followed" in caplog.text
    assert "canary" not in caplog.text


def test_what_the_settings_no_longer_allow_is_not_followed(anna, app, region):
    region.add(state="wiped")
    anna.client.get(f"/meeting/{SID}", query_string={"return_to": GOOD})
    app.extensions[EXTENSION] = hold(region, region, SETTINGS, Clock())
    assert back_link(anna, f"/meeting/{SID}/ended") == "/today"


def test_a_booking_leads_back_too(anna, region):
    anna.client.get("/booking", query_string={"return_to": GOOD})
    booked = anna.post(
        "/booking",
        room="r1",
        date=f"{NOW:%Y-%m-%d}",
        time="12:00",
        length="30",
        language="sv",
        methods="code",
    )
    assert back_link(anna, booked.headers["Location"]) == GOOD
