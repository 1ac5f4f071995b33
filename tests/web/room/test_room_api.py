"""Touches, pictures and the feed, as the page asks for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from fakes import NOW, FakeController, screen, view
from flask.testing import FlaskClient

from agent.screen import Lock, Outcome, Touch

SDP = "application/sdp"


def test_a_touch_reaches_the_agent_and_its_outcome_the_page(
    kiosk: FlaskClient, controller: FakeController
) -> None:
    answer = kiosk.post("/api/touch", json={"kind": "microphone", "on": False})
    assert answer.json == {"ok": True, "refusal": None, "lock": None, "pending": False, "minutes": None}
    assert controller.touches == [Touch("microphone", on=False)]


def test_a_refusal_is_an_answer_and_tells_when_to_try_again(
    kiosk: FlaskClient, controller: FakeController
) -> None:
    controller.outcomes["checkin_code"] = Outcome("locked", Lock(0, NOW + timedelta(minutes=2)))
    answer = kiosk.post("/api/touch", json={"kind": "checkin_code", "text": "123456"})
    assert answer.status_code == 200
    assert answer.json == {
        "ok": False,
        "refusal": "locked",
        "lock": {"tries_left": 0, "until": "2026-11-23T09:22:00+00:00"},
        "pending": False,
        "minutes": None,
    }


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "7",
        '{"kind":"open_the_door"}',
        '{"kind":["help"]}',
        '{"kind":"help","extra":1}',
        '{"kind":"checkin_code","text":123456}',
        '{"kind":"microphone","on":"yes"}',
        json.dumps({"kind": "checkin_code", "text": "1" * 65}),
    ],
)
def test_what_is_no_touch_is_refused(kiosk: FlaskClient, controller: FakeController, body: str) -> None:
    answer = kiosk.post("/api/touch", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert controller.touches == []


def test_a_touch_must_say_it_is_json(kiosk: FlaskClient) -> None:
    assert kiosk.post("/api/touch", data='{"kind":"help"}', content_type="text/plain").status_code == 415


def test_the_code_is_neither_logged_nor_printed(
    kiosk: FlaskClient, controller: FakeController, caplog
) -> None:
    controller.outcomes["checkin_code"] = Outcome("wrong_code", Lock(4, None))
    with caplog.at_level("DEBUG"):
        kiosk.post("/api/touch", json={"kind": "checkin_code", "text": "907731"})
    assert "wrong_code" in caplog.text
    assert "907731" not in caplog.text + repr(controller.touches)


@pytest.mark.parametrize(("path", "name"), [("/whep/self", "self"), ("/whep/peer/p-1", "peer/p-1")])
def test_an_offer_is_answered_with_the_resource_that_ends_it(
    kiosk: FlaskClient, controller: FakeController, path: str, name: str
) -> None:
    answer = kiosk.post(path, data="v=0\r\no=-", content_type=SDP)
    assert (answer.status_code, answer.mimetype, answer.text) == (201, SDP, "v=0\r\nanswer")
    assert controller.offers == [(name, "v=0\r\no=-")]
    assert kiosk.delete(answer.headers["Location"]).status_code == 200
    assert controller.closed == ["r1"]


@pytest.mark.parametrize(
    ("path", "body", "kind", "status"),
    [
        ("/whep/peer/nobody", "v=0", SDP, 404),
        ("/whep/peer/a%20b", "v=0", SDP, 404),
        ("/whep/self", "v=0", "text/plain", 415),
        ("/whep/self", "hello", SDP, 400),
        ("/whep/self", "v=0 unusable", SDP, 400),
        ("/whep/other", "v=0", SDP, 404),
    ],
)
def test_an_offer_that_cannot_be_answered(
    kiosk: FlaskClient, path: str, body: str, kind: str, status: int
) -> None:
    assert kiosk.post(path, data=body, content_type=kind).status_code == status


def events(body: Iterator[bytes]) -> Iterator[tuple[str, str]]:
    for chunk in body:
        lines = dict(line.split(": ", 1) for line in chunk.decode().strip().splitlines())
        if "event" in lines:
            yield lines["event"], lines["data"]


def test_the_feed_begins_with_the_whole_screen_and_follows_it(
    kiosk: FlaskClient, controller: FakeController
) -> None:
    answer = kiosk.get("/api/feed")
    assert answer.mimetype == "text/event-stream"
    feed = events(answer.response)
    kind, data = next(feed)
    assert kind == "screen"
    assert json.loads(data)["now"] == "2026-11-23T09:20:00+00:00"
    controller.level(-31.27)
    assert next(feed) == ("level", "-31.3")
    controller.resized(5.89862)
    assert next(feed) == ("px_per_mm", "5.8986")
    controller.show(screen(page="waiting", session=view(clinic="Rad\nbrytning")))
    assert json.loads(next(feed)[1])["session"]["clinic"] == "Rad\nbrytning"
    answer.close()
    assert controller.subscribers == []


def test_the_feed_asks_for_a_quick_return(kiosk: FlaskClient) -> None:
    answer = kiosk.get("/api/feed")
    assert next(iter(answer.response)) == b"retry: 500\n\n"
    answer.close()


def test_a_quiet_feed_says_that_it_lives(kiosk: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.room.feed.PING_S", 0.0)
    monkeypatch.setattr("web.room.feed.POLL_S", 0.01)
    answer = kiosk.get("/api/feed")
    chunks = iter(answer.response)
    next(chunks), next(chunks)
    assert next(chunks).startswith(b":")
    answer.close()


def test_open_feeds_are_counted_and_a_closed_one_makes_room(kiosk: FlaskClient) -> None:
    first, second = kiosk.get("/api/feed"), kiosk.get("/api/feed")
    refused = kiosk.get("/api/feed")
    assert refused.status_code == 503
    first.close()
    first.close()
    third = kiosk.get("/api/feed")
    assert third.status_code == 200
    assert kiosk.get("/api/feed").status_code == 503
    second.close(), third.close()


def test_too_many_screens_for_the_agent_are_said_and_hold_no_place(
    kiosk: FlaskClient, controller: FakeController
) -> None:
    controller.max_screens = 0
    assert [kiosk.get("/api/feed").status_code for _ in range(3)] == [503, 503, 503]
    controller.max_screens = 1
    answer = kiosk.get("/api/feed")
    assert answer.status_code == 200
    answer.close()


def test_the_screen_can_be_asked_for_once(kiosk: FlaskClient) -> None:
    document = kiosk.get("/api/screen").json
    assert document["next_session"]["ref"] == "A17"
    assert document["code_lock"] == {"tries_left": 5, "until": None}


def test_an_error_that_nobody_foresaw_is_told_and_logged_without_its_text(
    kiosk: FlaskClient,
    controller: FakeController,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(touch: Touch) -> Outcome:
        raise RuntimeError(f"cannot do {touch.text}")

    monkeypatch.setattr(controller, "touch", fail)
    monkeypatch.setitem(kiosk.application.config, "TESTING", False)
    monkeypatch.setitem(kiosk.application.config, "PROPAGATE_EXCEPTIONS", False)
    answer = kiosk.post("/api/touch", json={"kind": "checkin_code", "text": "123456"})
    assert (answer.status_code, "Content-Security-Policy" in answer.headers) == (500, True)
    assert "RuntimeError at" in caplog.text
    assert "123456" not in caplog.text + answer.text
    assert kiosk.get("/nowhere").status_code == 404
