from __future__ import annotations

import json
import logging

import pytest
from clinic_fakes import CANARY, SID, TOKEN, FakeRegion

from web.clinic import WebSettings, create_app

POSTS = [
    "/sign-in",
    "/sign-out",
    "/language",
    "/booking",
    f"/sessions/{SID}/cancel",
    f"/api/meeting/{SID}/signal",
]


@pytest.mark.parametrize("path", POSTS)
def test_every_post_needs_the_pages_own_token(anna, region, path):
    region.add()
    for token in ("", "wrong", "å"):
        assert anna.client.post(path, data={"csrf_token": token}).status_code == 400
    assert region.rows[SID].state == "booked"


def test_another_host_name_is_refused(anna):
    for host in ("evil.example", "localhost:81", ""):
        assert anna.client.get("/today", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_sites_page_can_neither_post_nor_open_a_feed(anna, region, headers):
    region.add()
    token = anna.token
    posted = anna.client.post("/language", data={"csrf_token": token, "language": "en"}, headers=headers)
    opened = anna.client.get(f"/api/meeting/{SID}/feed?instance=abcd1234", headers=headers)
    assert (posted.status_code, opened.status_code) == (403, 403)
    assert not region.meetings


@pytest.mark.parametrize("path", ["/sign-in", "/healthz", "/nope", "/fhir/metadata", "/static/meeting.js"])
def test_every_answer_carries_the_strict_headers(stranger, path):
    headers = stranger.get(path).headers
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == ("no-cache" if "static" in path else "no-store")
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "camera=(self)" in headers["Permissions-Policy"]


def test_no_page_has_a_script_or_style_of_its_own(anna, region):
    region.add(state="waiting", checked_in_at=region.now, checked_in_how="code")
    for path in (
        "/sign-in",
        "/today",
        "/booking",
        f"/meeting/{SID}",
        f"/sessions/{SID}",
        f"/meeting/{SID}/ended",
    ):
        page = anna.get(path).text
        assert "<script>" not in page
        assert " style=" not in page
        assert "http" + "://" not in page.replace("http://www.w3.org", "")


def test_what_others_wrote_is_escaped_on_every_page(anna, region):
    room = region.all_rooms["r1"] = type(region.all_rooms["r1"])("r1", CANARY, CANARY, "u", CANARY, (CANARY,))
    region.add(
        ref=CANARY, state="waiting", checked_in_how=CANARY, checked_in_at=region.now, parties=(CANARY,)
    )
    region.lines.append(
        type(
            "Line",
            (),
            {
                "at": region.now,
                "source": CANARY,
                "kind": CANARY,
                "fields": {CANARY: CANARY},
                "names": {CANARY: CANARY},
            },
        )
    )
    assert room.name == CANARY
    for path in (
        "/today",
        "/api/today",
        "/booking",
        f"/meeting/{SID}",
        f"/meeting/{SID}/ended",
        f"/sessions/{SID}",
        f"/sessions/{SID}/log",
    ):
        page = anna.get(path).text
        assert CANARY not in page
        assert "&lt;script&gt;" in page


def test_over_tls_the_cookie_is_secure_and_bound_to_the_host():
    region = FakeRegion()
    app = create_app(region, region, WebSettings("s" * 32, "https://video.example"))
    answer = app.test_client().get("/sign-in", base_url="https://video.example")
    assert answer.headers["Set-Cookie"].startswith("__Host-halsorum=")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "Strict-Transport-Security" in answer.headers


def test_a_fault_is_a_calm_page_and_logs_no_ones_words(anna, region, monkeypatch, caplog):
    def fail(*_: object) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(region, "sessions", fail)
    with caplog.at_level(logging.ERROR):
        answer = anna.get("/today")
    assert answer.status_code == 500
    assert "Något gick fel" in answer.text
    assert "RuntimeError" in caplog.text
    assert CANARY not in caplog.text + answer.text


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://x", ""])
def test_an_address_browsers_cannot_open_is_refused(url):
    with pytest.raises(ValueError, match="public_url"):
        WebSettings("s" * 32, url)


def test_a_short_secret_is_refused_and_no_secret_is_shown():
    with pytest.raises(ValueError, match="secret_key"):
        WebSettings("short", "http://localhost")
    assert "sss" not in repr(WebSettings("s" * 32, "http://localhost"))


def test_fhir_asks_for_a_bearer_token_and_no_cookie_will_do(anna, region):
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}):
        answer = anna.client.post("/fhir/Appointment", json={"resourceType": "Appointment"}, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert json.loads(answer.data)["issue"][0]["code"] == "login"
    assert not region.posted
