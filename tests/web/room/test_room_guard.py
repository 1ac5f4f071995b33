"""Only the room's own browser is answered."""

from __future__ import annotations

import pytest
from fakes import SECRET, FakeController
from flask.testing import FlaskClient

from web.room import RoomWebSettings

ASKED = [
    ("GET", "/"),
    ("GET", "/api/screen"),
    ("GET", "/api/feed"),
    ("GET", "/api/languages"),
    ("GET", "/wipe"),
]


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost", "localhost:80", "127.0.0.1.evil.example:25100", ""]
)
def test_another_host_name_is_misdirected(kiosk: FlaskClient, host: str) -> None:
    answer = kiosk.get("/api/screen", headers={"Host": host})
    assert answer.status_code == 421
    assert b"room_name" not in answer.data


@pytest.mark.parametrize(("method", "path"), ASKED)
def test_without_the_secret_a_plain_page_says_what_to_do(
    stranger: FlaskClient, method: str, path: str
) -> None:
    answer = stranger.open(path, method=method)
    assert answer.status_code == 403
    assert answer.mimetype == "text/plain"
    assert "Starta om skärmens webbläsare" in answer.text
    assert "Restart the screen's browser" in answer.text


def test_static_files_too_ask_for_the_secret(stranger: FlaskClient) -> None:
    assert stranger.get("/static/main.js").status_code == 403


@pytest.mark.parametrize("key", ["", "wrong", SECRET[:-1], SECRET + "x", "å" * 32])
def test_a_wrong_key_lets_nobody_in(stranger: FlaskClient, key: str) -> None:
    answer = stranger.get("/enter", query_string={"key": key})
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


def test_the_right_key_sets_a_cookie_that_scripts_and_other_sites_cannot_use(stranger: FlaskClient) -> None:
    answer = stranger.get(f"/enter?key={SECRET}")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("room_25100=")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert stranger.get("/").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:25100"},
        {"Origin": "http://localhost:25101"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/api/touch"), ("POST", "/whep/self"), ("DELETE", "/whep/resource/r1")]
)
def test_another_origin_changes_nothing(
    kiosk: FlaskClient, controller: FakeController, headers: dict[str, str], method: str, path: str
) -> None:
    assert kiosk.open(path, method=method, headers=headers, json={"kind": "help"}).status_code == 403
    assert not (controller.touches or controller.offers or controller.closed)


def test_a_post_without_an_origin_is_refused(stranger: FlaskClient, controller: FakeController) -> None:
    stranger.get(f"/enter?key={SECRET}")
    assert stranger.post("/api/touch", json={"kind": "help"}).status_code == 403
    assert controller.touches == []


@pytest.mark.parametrize(
    "path", ["/", "/api/screen", "/api/languages", "/static/main.js", "/nowhere", "/screen.css"]
)
def test_every_answer_is_confined(kiosk: FlaskClient, path: str) -> None:
    headers = kiosk.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "microphone=()" in headers["Permissions-Policy"]


@pytest.mark.parametrize("path", ["/", "/api/screen", "/wipe"])
def test_nothing_personal_is_stored_by_the_browser(kiosk: FlaskClient, path: str) -> None:
    assert kiosk.get(path).headers["Cache-Control"] == "no-store"


def test_the_wipe_clears_what_the_site_left_but_keeps_the_browser_in(kiosk: FlaskClient) -> None:
    answer = kiosk.get("/wipe")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert kiosk.get("/").status_code == 200


def test_a_body_beyond_the_limit_is_refused(kiosk: FlaskClient, controller: FakeController) -> None:
    assert (
        kiosk.post("/whep/self", data=b"v=0" + b"x" * 70_000, content_type="application/sdp").status_code
        == 413
    )
    assert controller.offers == []


def test_the_page_holds_no_inline_script_or_style(kiosk: FlaskClient) -> None:
    page = kiosk.get("/").text
    assert "style=" not in page
    assert "<style" not in page
    assert page.count("<script") == page.count('<script type="module" src=')


def test_a_secret_that_can_be_guessed_is_no_secret() -> None:
    with pytest.raises(ValueError, match="128 bits"):
        RoomWebSettings(port=1, browser_secret="1234")


def test_settings_do_not_print_the_secret() -> None:
    assert SECRET not in repr(RoomWebSettings(port=1, browser_secret=SECRET))


def test_a_millimetre_follows_the_denser_side(kiosk: FlaskClient) -> None:
    settings = RoomWebSettings(port=1, browser_secret=SECRET, screen_width_mm=128, screen_height_mm=100)
    assert settings.px_per_mm == 10.0
    size = [64.0, 50.0]
    settings = RoomWebSettings(port=1, browser_secret=SECRET, size_mm=lambda: (size[0], size[1]))
    assert settings.px_per_mm == 20.0
    size[:] = 256.0, 200.0
    assert settings.px_per_mm == 5.0
    assert "--mm: 5.8986px" in kiosk.get("/screen.css").text
