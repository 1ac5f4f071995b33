from __future__ import annotations

import pytest
from clinic_fakes import PASSWORD
from conftest import SETTINGS

from web.clinic.app import hold
from web.clinic.state import EXTENSION


def test_pages_ask_a_stranger_to_sign_in_and_lead_on_afterwards(stranger):
    asked = stranger.get("/booking")
    assert asked.headers["Location"] == "/sign-in"
    assert stranger.sign_in().headers["Location"] == "/booking"
    assert stranger.get("/booking").status_code == 200


def test_the_api_says_401_to_a_stranger(stranger):
    assert stranger.get("/api/feed").status_code == 401
    assert stranger.post_json("/api/meeting/k3v9q2m4x8t1/signal", {}).status_code == 401


def test_a_wrong_password_is_said_and_the_name_kept(stranger):
    answer = stranger.post("/sign-in", username="anna", password="wrong")
    assert answer.status_code == 401
    assert "stämmer inte" in answer.text
    assert 'value="anna"' in answer.text
    assert "wrong" not in answer.text


def test_a_pause_says_until_when(stranger, region):
    region.wrong_tries = 5
    answer = stranger.post("/sign-in", username="anna", password=PASSWORD)
    assert answer.status_code == 429
    assert "10:02:00" in answer.text  # 09:02 UTC in the clinic's winter


def test_signing_in_gives_a_new_cookie_and_a_new_token(stranger):
    before = stranger.token
    cookie = stranger.sign_in().headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert stranger.token != before


def test_a_copied_cookie_is_worth_nothing_after_signing_out(app, anna):
    copy = anna.client.get_cookie("halsorum_region").value
    anna.post("/sign-out")
    thief = app.test_client()
    thief.set_cookie("halsorum_region", copy)
    assert thief.get("/today").headers["Location"] == "/sign-in"


def test_a_copied_cookie_is_worth_nothing_after_a_restart_either(app, anna, region, clock):
    copy = anna.client.get_cookie("halsorum_region").value
    anna.post("/sign-out")
    app.extensions[EXTENSION] = hold(region, region, SETTINGS, clock)
    thief = app.test_client()
    thief.set_cookie("halsorum_region", copy)
    assert thief.get("/today").headers["Location"] == "/sign-in"


def test_idle_ends_a_sign_in_and_use_keeps_it(anna, clock):
    clock.advance(4 * 3600 - 1)
    assert anna.get("/today").status_code == 200
    clock.advance(4 * 3600 - 1)
    assert anna.post_json("/api/alive", {}).status_code == 204
    clock.advance(4 * 3600 + 1)
    assert anna.get("/today").status_code == 302


def test_a_page_that_refreshes_itself_is_not_use(anna, clock):
    for _ in range(3):
        clock.advance(3600)
        assert anna.get("/api/today").status_code == 200
    clock.advance(3601)
    assert anna.get("/api/today").status_code == 401


def test_nobody_stays_signed_in_beyond_the_working_day(anna, clock):
    for _ in range(12):
        clock.advance(3600)
        anna.get("/today")
    clock.advance(60)
    assert anna.get("/today").status_code == 302


def test_an_account_that_is_gone_is_out_at_once(anna, region):
    region.accounts.clear()
    assert anna.get("/today").status_code == 302


def test_the_language_changes_and_survives_signing_in_and_out(stranger):
    assert 'lang="sv"' in stranger.get("/sign-in").text
    assert stranger.post("/language", language="en", back="/sign-in").headers["Location"] == "/sign-in"
    stranger.sign_in()
    assert "Today&#39;s meetings" in stranger.get("/today").text
    stranger.post("/sign-out")
    assert "Sign in" in stranger.get("/sign-in").text


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example", ""])
def test_the_language_switch_leads_nowhere_else(stranger, back):
    assert stranger.post("/language", language="en", back=back).headers["Location"] == "/"
