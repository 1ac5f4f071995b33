"""Who may do what: every page and action, by role, in one table; and what each look leaves in the access log."""

from __future__ import annotations

import pytest
from clinic_fakes import SID
from conftest import Browser

from web.clinic import access

PERSONS = ("stranger", "anna", "bo", "ivar", "fjall")
"""Nobody, a clinician, staff, IT, and a clinician of another clinic."""
ASK, OK, NO, ON, GONE = 302, 200, 403, 303, 302
TABLE = {
    # path: nobody, clinician, staff, it, another clinic's
    "/today": (ASK, OK, OK, GONE, OK),
    "/api/today": (401, OK, OK, NO, OK),
    "/booking": (ASK, OK, OK, NO, OK),
    f"/sessions/{SID}": (ASK, OK, OK, NO, NO),
    f"/sessions/{SID}/log": (ASK, OK, OK, NO, NO),
    f"/meeting/{SID}": (ASK, OK, OK, NO, NO),
    f"/meeting/{SID}/ended": (ASK, OK, OK, GONE, GONE),
    "/queue": (ASK, OK, OK, NO, OK),
    "/api/queue": (401, OK, OK, NO, OK),
    "/calls": (ASK, OK, OK, OK, OK),
    **dict.fromkeys(
        (
            *("/it", "/it/enrol", "/it/unit/u-001", "/it/unit/u-001/details", "/it/unit/u-001/history"),
            *("/it/unit/u-001/config", "/it/unit/u-001/config/room", "/it/unit/u-001/room"),
            *("/it/unit/u-001/revoke", "/it/unit/u-001/do/restart", "/it/groups", "/it/rollouts"),
            *("/it/rollouts/new", "/it/rollouts/new/command/restart", "/it/audit"),
        ),
        (ASK, NO, NO, OK, NO),
    ),
    **dict.fromkeys(("/api/it/units", "/api/it/enrol", "/api/it/unit/u-001"), (401, NO, NO, OK, NO)),
}
POSTS = {
    f"/sessions/{SID}/check-in": (ASK, ON, ON, NO, NO),
    f"/sessions/{SID}/take": (ASK, ON, NO, NO, NO),
    f"/sessions/{SID}/release": (ASK, ON, ON, NO, NO),
    f"/sessions/{SID}/cancel": (ASK, ON, ON, NO, NO),
    "/it/unit/u-001/do/locate": (ASK, NO, NO, ON, NO),
    "/it/unit/u-001/unrevoke": (ASK, NO, NO, ON, NO),
}


@pytest.fixture
def people(app, region) -> dict[str, Browser]:
    region.add_account("fjall", "a9", "clinician", "Fjället")
    region.add()
    browsers = {who: Browser(app.test_client()) for who in PERSONS}
    for who in PERSONS[1:]:
        browsers[who].sign_in(who)
    return browsers


@pytest.mark.parametrize("path", TABLE)
def test_who_may_see(people, path):
    assert tuple(people[who].get(path).status_code for who in PERSONS) == TABLE[path]


@pytest.mark.parametrize("path", POSTS)
def test_who_may_do(people, region, path):
    answers = []
    for who in PERSONS:
        region.add()
        answers.append(people[who].post(path).status_code)
    assert tuple(answers) == POSTS[path]


def test_it_begins_at_the_fleet_and_is_offered_no_sessions(people):
    assert people["ivar"].get("/today").headers["Location"] == "/it"
    page = people["ivar"].get("/it").text
    assert "nav-units" in page
    assert "nav-today" not in page
    assert "nav-booking" not in page


@pytest.mark.parametrize(
    ("path", "look"),
    [
        ("/today", ("list", None, "2026-03-02")),
        ("/today?day=2026-03-05", ("list", None, "2026-03-05")),
        ("/api/today", ("list", None, "2026-03-02")),
        (f"/sessions/{SID}", ("session", SID, None)),
        (f"/sessions/{SID}/log", ("log", SID, None)),
        (f"/meeting/{SID}", ("meeting", SID, None)),
        (f"/meeting/{SID}/ended", ("summary", SID, None)),
        (f"/calls/{SID}", None),
        ("/queue", ("queue", None, None)),
        ("/calls", ("calls", None, None)),
        ("/booking", None),
        ("/sessions/unknown", None),
    ],
)
def test_each_look_is_noted_with_its_person(people, region, path, look):
    region.looks.clear()
    people["anna"].get(path)
    assert region.looks == ([("a1", *look, False)] if look else [])


def test_an_open_meeting_is_noted_when_it_begins(people, region):
    region.looks.clear()
    people["anna"].client.get(f"/api/meeting/{SID}/feed?instance=abcd1234", buffered=False).close()
    assert region.looks == [("a1", "meeting", SID, None, False)]


def test_a_look_at_another_clinics_session_is_refused_and_noted(people, region):
    region.looks.clear()
    people["fjall"].get(f"/sessions/{SID}")
    assert region.looks == [("a9", "session", SID, None, True)]


def test_what_cannot_be_noted_is_not_shown(people, region, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(region, "looked", fail)
    answer = people["anna"].get(f"/sessions/{SID}")
    assert answer.status_code == 500
    assert "A17" not in answer.text


def test_the_pages_that_are_noted_are_there(app):
    pages = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in rule.methods}
    assert set(access.KINDS) <= pages
