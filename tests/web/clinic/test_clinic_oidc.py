"""What the OpenID provider's answer must be. The provider here says anything it is told to say."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from clinic_fakes import PASSWORD, FakeRegion
from conftest import NOW, Browser, Clock
from flask import Flask
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from web.clinic import WebSettings, create_app
from web.clinic.app import hold
from web.clinic.oidc import OidcClient
from web.clinic.oidc_settings import OidcClientSettings
from web.clinic.people import Assignment
from web.clinic.state import EXTENSION

ISSUER = "https://id.example"
SECRET = "s" * 40
KEYS = {name: RSAKey.generate_key(2048, {"kid": name}) for name in ("first", "second")}
METADATA: dict[str, Any] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/auth",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/jwks",
    "userinfo_endpoint": f"{ISSUER}/me",
    "end_session_endpoint": f"{ISSUER}/end",
    "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
}


class FakeProvider:
    """Answers in place of the network."""

    def __init__(self) -> None:
        self.metadata = dict(METADATA)
        self.userinfo: dict[str, Any] = {"sub": "s1", "name": "Anna Berg"}
        self.published = ["first"]
        self.token: Callable[[dict[str, Any]], str] = self.signed
        self.changes: dict[str, Any] = {}
        self.nonce = ""
        self.asked: list[str] = []
        self.away = False
        self.verifier = ""

    def signed(self, claims: dict[str, Any], key: str = "first", alg: str = "RS256") -> str:
        return jwt.encode({"alg": alg, "kid": key}, claims, KEYS[key])

    def claims(self) -> dict[str, Any]:
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": "me", "sub": "s1", "iat": now, "exp": now + 300, "nonce": self.nonce}
        claims |= {"acr": "loa3"} | self.changes
        return {name: value for name, value in claims.items() if value is not None}

    def send(self, _session: object, request: requests.PreparedRequest, **_: object) -> requests.Response:
        if self.away:
            raise requests.ConnectionError
        path = urlsplit(str(request.url)).path
        self.asked.append(path)
        answers: dict[str, Callable[[], object]] = {
            "/.well-known/openid-configuration": lambda: self.metadata,
            "/jwks": lambda: {"keys": [KEYS[name].as_dict(private=False) for name in self.published]},
            "/me": lambda: self.userinfo,
            "/token": lambda: self._token(str(request.body)),
        }
        answer = requests.Response()
        answer.status_code, answer.request, answer.url = 200, request, str(request.url)
        answer.headers["Content-Type"] = "application/json"
        answer._content = json.dumps(answers[path]()).encode()
        return answer

    def _token(self, body: str) -> dict[str, Any]:
        self.verifier = parse_qs(body)["code_verifier"][0]
        return {
            "access_token": "at",
            "token_type": "Bearer",
            "expires_in": 60,
            "id_token": self.token(self.claims()),
        }


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> FakeProvider:
    made = FakeProvider()
    monkeypatch.setattr(
        requests.Session, "send", lambda session, request, **kwargs: made.send(session, request, **kwargs)
    )
    return made


@pytest.fixture
def region() -> FakeRegion:
    made = FakeRegion(NOW)
    made.offered = (Assignment("clinician", "Kusten"),)
    return made


OIDC = OidcClientSettings(ISSUER, "me", SECRET, "Regionen", acr_values=("loa3",))
SETTINGS = WebSettings("s" * 32, "http://localhost", oidc=OIDC)


@pytest.fixture(scope="module")
def built_with_oidc() -> Flask:
    """Made once; what it holds, the provider's metadata and keys too, is new for each test."""
    region = FakeRegion(NOW)
    return create_app(region, region, SETTINGS)


@pytest.fixture
def browser(built_with_oidc: Flask, region: FakeRegion, provider: FakeProvider) -> Browser:
    client = OidcClient(built_with_oidc, OIDC)
    built_with_oidc.extensions[EXTENSION] = hold(region, region, SETTINGS, Clock(), client)
    return Browser(built_with_oidc.test_client())


def start(browser: Browser, provider: FakeProvider) -> dict[str, str]:
    """Go to the provider; what it was asked."""
    location = browser.get("/sign-in/oidc").headers["Location"]
    asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
    provider.nonce = asked["nonce"]
    return asked


def back(browser: Browser, state: str, **more: str) -> Any:
    return browser.client.get("/sign-in/oidc/callback", query_string={"code": "c", "state": state, **more})


def sign_in(browser: Browser, provider: FakeProvider) -> Any:
    return back(browser, start(browser, provider)["state"])


def test_the_question_asks_for_a_code_with_pkce_state_nonce_and_level(browser, provider):
    asked = start(browser, provider)
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert (asked["acr_values"], asked["redirect_uri"]) == ("loa3", "http://localhost/sign-in/oidc/callback")
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 20
    assert SECRET not in str(asked)


def test_a_good_answer_signs_in_and_leads_on(browser, provider):
    browser.get("/booking")
    answer = sign_in(browser, provider)
    assert answer.headers["Location"] == "/booking"
    assert "Anna Berg, Kusten" in browser.get("/booking").text
    assert len(provider.verifier) >= 43


def _later(seconds: int) -> int:
    return int(time.time()) + seconds


BAD = {
    "another issuer": {"iss": "https://other.example"},
    "another audience": {"aud": "somebody"},
    "another party": {"aud": ["me", "somebody"], "azp": "somebody"},
    "too old": {"exp": _later(-70)},
    "from the future": {"iat": _later(86_400)},
    "no nonce": {"nonce": None},
    "another nonce": {"nonce": "planted"},
    "no subject": {"sub": None},
    "a token hash of another": {"at_hash": "x" * 22},
}


@pytest.mark.parametrize("name", BAD)
def test_a_wrong_claim_is_refused(browser, provider, region, name):
    provider.changes = BAD[name]
    answer = sign_in(browser, provider)
    assert answer.status_code == 403
    assert "gick inte att lita på" in answer.text
    assert browser.get("/today").status_code == 302


def test_a_clock_that_differs_a_little_is_forgiven(browser, provider):
    provider.changes = {"exp": _later(-50), "iat": _later(50)}
    assert sign_in(browser, provider).status_code == 302


def _unsigned(claims: dict[str, Any]) -> str:
    signed = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET))
    _, body, _ = signed.split(".")
    return f"eyJhbGciOiJub25lIn0.{body}."


FORGED = {
    "unsigned": _unsigned,
    "with the client's secret": lambda claims: jwt.encode(
        {"alg": "HS256"}, claims, OctKey.import_key(SECRET)
    ),
    "with an unknown key": lambda claims: jwt.encode(
        {"alg": "RS256", "kid": "second"}, claims, KEYS["second"]
    ),
    "with another's key under a known name": lambda claims: jwt.encode(
        {"alg": "RS256", "kid": "first"}, claims, KEYS["second"]
    ),
    "no token at all": lambda _: "x",
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_token_is_refused(browser, provider, name):
    provider.token = FORGED[name]
    assert sign_in(browser, provider).status_code == 403
    assert browser.get("/today").status_code == 302


def test_a_new_key_is_fetched_when_it_first_signs(browser, provider):
    assert sign_in(browser, provider).status_code == 302
    browser.post("/sign-out")
    provider.published = ["second"]
    provider.token = lambda claims: provider.signed(claims, "second")
    assert sign_in(browser, provider).status_code == 302
    assert provider.asked.count("/jwks") == 2


def test_another_persons_userinfo_is_refused(browser, provider):
    provider.userinfo = {"sub": "s2", "groups": ["all"]}
    assert sign_in(browser, provider).status_code == 403


@pytest.mark.parametrize("acr", ["loa2", None])
def test_a_level_below_is_refused_and_says_so(browser, provider, acr):
    provider.changes = {"acr": acr}
    assert "inte tillräckligt säkert" in sign_in(browser, provider).text


def test_another_issuer_in_the_answer_is_refused_before_the_code_is_used(browser, provider):
    state = start(browser, provider)["state"]
    assert back(browser, state, iss="https://other.example").status_code == 403
    assert "/token" not in provider.asked


def test_state_works_once_in_one_browser(browser, provider, region):
    state = start(browser, provider)["state"]
    assert back(browser, state).status_code == 302
    assert back(browser, state).status_code == 403
    assert back(browser, "guessed").status_code == 403
    thief = Browser(browser.client.application.test_client())
    assert back(thief, start(browser, provider)["state"]).status_code == 403
    assert thief.get("/today").status_code == 302


def test_many_starts_do_not_fill_the_cookie(browser, provider):
    states = [start(browser, provider)["state"] for _ in range(12)]
    assert len(browser.client.get_cookie("halsorum_region").value) < 2000
    assert back(browser, states[-1]).status_code == 302


def test_a_provider_that_is_away_leaves_the_local_sign_in(browser, provider):
    provider.away = True
    answer = browser.get("/sign-in/oidc")
    assert answer.status_code == 503
    assert "svarar inte" in answer.text
    provider.asked.clear()
    provider.away = False
    assert browser.get("/sign-in/oidc").status_code == 503  # not asked again at once
    assert provider.asked == []
    assert browser.post("/sign-in", username="anna", password=PASSWORD).status_code == 302


def test_a_provider_that_falls_away_in_between_is_said(browser, provider):
    state = start(browser, provider)["state"]
    provider.away = True
    assert back(browser, state).status_code == 503


def test_metadata_of_another_issuer_is_not_used(browser, provider):
    provider.metadata["issuer"] = "https://other.example"
    assert browser.get("/sign-in/oidc").status_code == 503
    provider.metadata["issuer"] = ISSUER
    assert browser.get("/sign-in/oidc").status_code == 302


def test_signing_out_goes_on_to_the_provider(browser, provider):
    sign_in(browser, provider)
    page = browser.post("/sign-out").text
    assert f"{ISSUER}/end?id_token_hint=" in page
    assert "post_logout_redirect_uri=http%3A%2F%2Flocalhost%2Fsigned-out" in page
    assert browser.get("/today").status_code == 302


def test_several_assignments_are_chosen_from_and_no_other_is(browser, provider, region):
    region.offered = (Assignment("clinician", "Kusten"), Assignment("staff", "Fjället"))
    assert sign_in(browser, provider).headers["Location"] == "/sign-in/assignment"
    assert "Fjället" in browser.get("/sign-in/assignment").text
    browser.post("/sign-in/assignment", assignment="1")
    assert "Anna Berg, Fjället" in browser.get("/booking").text
    assert browser.post("/sign-in/assignment", assignment="0").status_code == 403


def test_a_choice_left_open_is_not_made_later(browser, provider, region):
    region.offered = (Assignment("clinician", "Kusten"), Assignment("staff", "Fjället"))
    sign_in(browser, provider)
    held = browser.client.application.extensions[EXTENSION]
    held.now.advance(16 * 60)
    assert browser.get("/sign-in/assignment").status_code == 403
    assert browser.post("/sign-in/assignment", assignment="1").status_code == 403


@pytest.mark.parametrize("number", ["2", "-1", "x", "", "²"])
def test_an_assignment_that_was_not_offered_is_refused(browser, provider, region, number):
    region.offered = (Assignment("clinician", "Kusten"), Assignment("staff", "Fjället"))
    sign_in(browser, provider)
    assert browser.post("/sign-in/assignment", assignment=number).status_code == 400
    assert browser.get("/today").status_code == 302


@pytest.mark.parametrize("closed", [False, True])
def test_without_a_role_or_with_a_closed_account_a_page_says_what_to_do(browser, provider, region, closed):
    region.offered, region.closed = (region.offered if closed else ()), closed
    answer = sign_in(browser, provider)
    assert answer.status_code == 403
    assert "Be din chef eller it-stödet" in answer.text
    assert browser.get("/today").status_code == 302


def test_without_a_provider_there_is_no_such_page(stranger):
    assert stranger.get("/sign-in/oidc").status_code == 404
    assert "sign-in-oidc" not in stranger.get("/sign-in").text
