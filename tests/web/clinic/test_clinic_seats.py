"""Coming by a link: what it opens, who is seated in which browser, and what a guest's browser may ask for."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from clinic_fakes import PASSWORD, SEAT_CODE, SEAT_TOKEN, SID

from web.clinic.meeting import is_guest
from web.clinic.services import Account, NotAllowed

FEED = f"/api/meeting/{SID}/feed?instance=abcd1234"


@pytest.fixture
def link(region):
    region.add(state="ready")
    return region.seats.make(region.accounts["anna"], SID, "interpreter", "Tolk 4711")


@pytest.fixture
def guest(stranger, link):
    answer = stranger.post_json("/api/seat/claim", {"token": SEAT_TOKEN, "code": SEAT_CODE})
    assert answer.json == {"to": f"/meeting/{SID}"}
    return stranger


def test_a_link_tells_its_holder_as_whom_and_when_and_nothing_of_the_patient(stranger, link):
    told = stranger.post_json("/api/seat/look", {"token": SEAT_TOKEN}).json
    assert told == {
        "state": "open",
        "role": "tolk",
        "date": "i dag",
        "start": "10:00",
        "opens": "09:45",
        "in_use": False,
        "name": None,
        "to": None,
    }
    page = stranger.get("/seat").text
    assert SEAT_TOKEN not in page and "Tolk 4711" not in page


def test_a_link_before_its_time_says_when_it_opens(stranger, link, region):
    region.seats.opens_at = region.now + timedelta(hours=1)
    told = stranger.post_json("/api/seat/look", {"token": SEAT_TOKEN}).json
    assert (told["state"], told["opens"]) == ("early", "11:00")
    answer = stranger.post_json("/api/seat/claim", {"token": SEAT_TOKEN, "code": SEAT_CODE})
    assert (answer.status_code, answer.json["reason"]) == (409, "Mötet har inte öppnat än.")


@pytest.mark.parametrize("token", ["b" * 32, "short", SEAT_TOKEN.upper(), ""])
def test_a_link_that_is_none_or_no_longer_is_told_in_words(stranger, link, token):
    for path in ("/api/seat/look", "/api/seat/claim"):
        answer = stranger.post_json(path, {"token": token, "code": SEAT_CODE})
        assert (answer.status_code, answer.json["field"]) == (409, "link")
        assert answer.json["reason"].startswith("Länken gäller inte längre.")


@pytest.mark.parametrize("body", [None, [], {}, {"token": 1}, {"token": SEAT_TOKEN, "code": 1}])
def test_a_body_that_is_none_of_ours_is_refused(stranger, link, body):
    assert stranger.post_json("/api/seat/claim", body).status_code == 400


def test_wrong_codes_are_told_and_then_pause_with_the_time(stranger, link):
    for code in ("000000", "12345", "abcdef", "000 000", "1234567"):
        answer = stranger.post_json("/api/seat/claim", {"token": SEAT_TOKEN, "code": code})
        assert (answer.status_code, answer.json["reason"]) == (409, "Koden stämmer inte. Försök igen.")
    for _ in range(3):
        stranger.post_json("/api/seat/claim", {"token": SEAT_TOKEN, "code": "000000"})
    answer = stranger.post_json("/api/seat/claim", {"token": SEAT_TOKEN, "code": SEAT_CODE})
    assert (answer.status_code, answer.json["reason"]) == (
        429,
        "För många försök. Försök igen klockan 10:02:00.",
    )


def test_a_guest_prepares_and_opens_the_meeting_and_is_told_nothing_of_the_room(guest, region):
    page = guest.get(f"/meeting/{SID}").text
    assert 'data-stage="prepare"' in page
    assert "Rum 1" not in page and 'href="/today"' not in page and "Tolk 4711" not in page
    assert 'content="/seat/ended"' in page
    feed = guest.client.get(FEED, buffered=False)
    lines = [next(feed.response).decode() for _ in range(2)]
    assert '"facts": ""' in lines[1]
    said = guest.post_json(
        f"/api/meeting/{SID}/signal", {"instance": "abcd1234", "message": {"type": "leave"}}
    )
    assert said.status_code == 200
    report = {"age_s": 0.0, "interval_s": 5.0, "connected": True}
    quality = guest.post_json(f"/api/meeting/{SID}/quality", {"instance": "abcd1234", "reports": [report]})
    assert quality.status_code == 204
    assert guest.get("/api/present").status_code == guest.post("/api/alive").status_code == 204
    feed.close()


def test_a_guest_hears_the_end_though_the_seat_went_with_the_session(guest, region, monkeypatch):
    def gone(person, sid):
        raise NotAllowed

    feed = guest.client.get(FEED, buffered=False)
    for message in ({"type": "session", "state": "ended"}, {"type": "bye", "reason": "ended"}):
        region.meetings[SID].messages.put(message)
    next(feed.response), next(feed.response)
    monkeypatch.setattr(region, "meeting", gone)
    told = [json.loads(next(feed.response).decode().removeprefix("data: ")) for _ in range(2)]
    assert told[0] == {"type": "session", "state": "ended", "over": True, "facts": ""}
    assert told[1]["type"] == "bye"
    feed.close()


def test_the_rooms_own_clinic_is_no_guest_where_another_has_taken_the_patient_from_a_queue(region):
    region.add(state="waiting")
    row = replace(region.rows[SID], clinic="Fjället")
    assert row.room.clinic != "Fjället"
    assert not is_guest(Account("a1", "A", "staff", row.room.clinic), row)
    assert not is_guest(Account("a2", "B", "clinician", "Fjället"), row)
    assert is_guest(Account("a3", "C", "clinician", "Dalen"), row)


def test_the_same_browser_needs_no_code_again(guest):
    told = guest.post_json("/api/seat/look", {"token": SEAT_TOKEN}).json
    assert told["to"] == f"/meeting/{SID}"


GUEST_MAY = {
    "static", "shared", "machines.healthz", "machines.metrics", "machines.put_diagnostics",
    "front", "visit.page", "signin.page", "signin.sign_in", "signin.sign_out",
    "signin.language", "signin.alive", "signin.still_present", "signin.signed_out", "seat.page", "seat.ended",
    "seat.look", "seat.claim", "meeting.page", "meeting.ended", "meeting.feed", "meeting.signal", "reports.saw",
}  # fmt: skip
"""Without a sign-in, or for those with a link too."""


def test_a_guest_reaches_no_route_but_those_of_the_meeting(guest, app):
    """Every route there is: what is not in the list above sends a guest to sign in, or wants a booking
    system's token."""
    reached = set()
    for rule in app.url_map.iter_rules():
        if rule.endpoint in GUEST_MAY or rule.endpoint.startswith(("fhir.", "oidc.")):
            continue
        path = rule.rule
        for name in rule.arguments:
            path = path.replace(f"<{name}>", SID).replace(f"<path:{name}>", SID).replace(f"<int:{name}>", "1")
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            answer = guest.get(path) if method == "GET" else guest.post(path)
            away = answer.status_code == 302 and answer.headers["Location"] == "/sign-in"
            if not away and answer.status_code != 401:
                reached.add((method, rule.rule, answer.status_code))
    assert reached == set()


def test_a_guest_of_one_meeting_is_refused_at_another(guest, region):
    other = "z" * 12
    region.add(other, state="waiting")
    message = {"instance": "abcd1234", "message": {"type": "leave"}}
    assert guest.get(f"/meeting/{other}").status_code == 403
    assert guest.get(f"/api/meeting/{other}/feed?instance=abcd1234").status_code == 403
    assert guest.post_json(f"/api/meeting/{other}/signal", message).status_code == 403
    assert region.signals.empty()


def test_when_the_seat_is_gone_the_guest_is_led_out_and_can_come_by_another_link(guest, region):
    region.seats.lines.clear()
    assert guest.get(f"/meeting/{SID}").headers["Location"] == "/seat/ended"
    assert guest.get(f"/meeting/{SID}/ended").headers["Location"] == "/seat/ended"
    assert guest.get(FEED).status_code == 401
    assert "Inget är sparat." in guest.get("/seat/ended").text
    region.seats.make(region.accounts["anna"], SID, "relative", "")
    assert guest.post_json("/api/seat/look", {"token": SEAT_TOKEN}).json["role"] == "närstående"


def test_signing_in_and_sitting_down_end_each_other(guest, anna, link):
    guest.post("/sign-in", username="anna", password=PASSWORD)
    assert guest.get("/today").status_code == 200
    copy = anna.client.get_cookie("halsorum_region").value
    anna.post_json("/api/seat/claim", {"token": SEAT_TOKEN, "code": SEAT_CODE})
    assert anna.get("/today").headers["Location"] == "/sign-in"
    anna.client.set_cookie("halsorum_region", copy)
    assert anna.get("/today").headers["Location"] == "/sign-in", "nor does a copy of the cookie help"


def test_a_professional_signs_in_and_needs_no_code(stranger, link, region):
    region.accounts["cy"] = Account("a9", "Cy Dahl", "clinician", "Fjället")
    assert stranger.get("/seat/sign-in").headers["Location"] == "/sign-in"
    assert stranger.sign_in("cy").headers["Location"] == "/seat/sign-in"
    assert stranger.get("/seat/sign-in").headers["Location"] == "/seat"
    assert stranger.get(f"/meeting/{SID}").status_code == 403
    assert stranger.post_json("/api/seat/look", {"token": SEAT_TOKEN}).json["name"] == "Cy Dahl"
    answer = stranger.post_json("/api/seat/claim", {"token": SEAT_TOKEN})
    assert answer.json == {"to": f"/meeting/{SID}"}
    page = stranger.get(f"/meeting/{SID}").text
    assert 'data-stage="prepare"' in page and "Rum 1" not in page
    assert stranger.get(f"/sessions/{SID}").status_code == 403


def test_seats_are_made_listed_and_withdrawn_from_the_meeting(anna, region):
    region.add(state="waiting")
    made = anna.post_json(f"/api/meeting/{SID}/seats", {"role": "relative", "label": "Syster"})
    assert made.status_code == 201
    assert made.json == {"id": "seat0", "link": f"http://localhost/seat#{SEAT_TOKEN}", "code": SEAT_CODE}
    listed = anna.get(f"/api/meeting/{SID}/seats").json["seats"]
    assert listed == [{"id": "seat0", "role": "relative", "label": "Syster", "state": "made"}]
    withdraw = f"/api/meeting/{SID}/seats/seat0/withdraw"
    assert anna.post_json(withdraw, {}).status_code == 200
    assert anna.post_json(withdraw, {}).json["reason"] == "Länken är redan tillbakadragen."
    refused = anna.post_json(f"/api/meeting/{SID}/seats", {"role": "relative", "label": "x" * 41})
    assert (refused.status_code, refused.json["field"]) == (409, "label")


def test_seats_are_made_before_the_meeting_and_shown_once(anna, region):
    region.add(start=region.now + timedelta(hours=3), end=region.now + timedelta(hours=4))
    shown = anna.post(f"/sessions/{SID}/seats", role="interpreter", label="Tolk 4711")
    page = anna.get(shown.headers["Location"]).text
    assert f"/seat#{SEAT_TOKEN}" in page and f'data-code="{SEAT_CODE}"' in page
    again = anna.get(shown.headers["Location"])
    assert again.headers["Location"] == f"/sessions/{SID}"
    session = anna.get(f"/sessions/{SID}").text
    assert "Tolk 4711" in session and SEAT_CODE not in session and SEAT_TOKEN not in session
    gone = anna.post(f"/sessions/{SID}/seats/seat0/withdraw")
    assert gone.headers["Location"] == f"/sessions/{SID}"
    assert "Tolk 4711" not in anna.get(f"/sessions/{SID}").text
