"""Pages say that they live, and the kiosk's starting page is let in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import ORIGIN, PORT, Kiosk
from fakes import SECRET, FakeController
from flask.testing import FlaskClient

from web.room import RoomWebSettings, create_app

BEATS: list[str] = []


@pytest.fixture(scope="module")
def page() -> Iterator[FlaskClient]:
    app = create_app(
        FakeController(), RoomWebSettings(port=PORT, browser_secret=SECRET), painted=BEATS.append
    )
    app.test_client_class = Kiosk
    client = app.test_client()
    client.get(f"/enter?key={SECRET}")
    yield client


@pytest.mark.parametrize("body", ["", "156.0.8078.79"])
def test_a_page_that_painted_is_heard(page: FlaskClient, body: str) -> None:
    BEATS.clear()
    assert page.post("/api/painted", data=body).status_code == 204
    assert [body] == BEATS


@pytest.mark.parametrize("body", ["Kanarina", "1" * 41, "156\n", "<b>"])
def test_what_is_no_version_is_refused_and_not_repeated(page: FlaskClient, body: str) -> None:
    BEATS.clear()
    answer = page.post("/api/painted", data=body)
    assert (answer.status_code, BEATS) == (400, [])
    assert body not in answer.text


def test_nobody_else_may_say_that_the_screen_lives(stranger: FlaskClient, page: FlaskClient) -> None:
    BEATS.clear()
    assert stranger.post("/api/painted", headers={"Origin": ORIGIN}).status_code == 403
    assert page.post("/api/painted", headers={"Origin": "http://elsewhere"}).status_code == 403
    assert BEATS == []


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_sent_by_another_page_our_own_begins_the_next_step(stranger: FlaskClient, site: str) -> None:
    """A Strict cookie is not given to a redirect that another page began."""
    answer = stranger.get(f"/enter?key={SECRET}", headers={"Sec-Fetch-Site": site})
    assert (answer.status_code, answer.headers["Refresh"]) == (200, "0; url=/")
    assert "SameSite=Strict" in answer.headers["Set-Cookie"]
    assert stranger.get("/", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200
    wrong = stranger.get("/enter?key=wrong", headers={"Sec-Fetch-Site": site})
    assert (wrong.status_code, "Refresh" in wrong.headers) == (403, False)
