from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

sys.path.insert(0, str(Path(__file__).parent))

from clinic_fakes import PASSWORD, FakeRegion
from fleet_fakes import FakeFleet

from web.clinic import WebSettings, create_app
from web.clinic.app import hold
from web.clinic.state import EXTENSION

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SETTINGS = WebSettings("s" * 32, "http://localhost", feed_ping_s=0.01, max_feeds_per_account=2)


class Browser:
    """A test client that fills in the page's token, as a browser with our pages would."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    @property
    def token(self) -> str:
        page = self.client.get("/visit").text
        return re.search(r'name="csrf-token" content="([^"]+)"', page)[1]

    def get(self, path: str) -> TestResponse:
        return self.client.get(path)

    def post(self, path: str, **form: object) -> TestResponse:
        return self.client.post(path, data={"csrf_token": self.token, **form})

    def post_json(self, path: str, body: object) -> TestResponse:
        return self.client.post(path, json=body, headers={"X-CSRF-Token": self.token})

    def sign_in(self, username: str = "anna") -> TestResponse:
        return self.post("/sign-in", username=username, password=PASSWORD)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def region() -> FakeRegion:
    return FakeRegion(NOW)


@pytest.fixture(scope="session")
def built():
    """Routes and templates are compiled once; what an app holds is new for each test."""
    region = FakeRegion(NOW)
    return create_app(region, region, SETTINGS)


@pytest.fixture
def fleet() -> FakeFleet:
    return FakeFleet(NOW)


@pytest.fixture
def app(built, region, fleet, clock):
    built.extensions[EXTENSION] = hold(region, region, SETTINGS, clock, fleet=fleet)
    return built


@pytest.fixture
def stranger(app) -> Browser:
    return Browser(app.test_client())


@pytest.fixture
def anna(app) -> Browser:
    browser = Browser(app.test_client())
    browser.sign_in("anna")
    return browser


@pytest.fixture
def bo(app) -> Browser:
    browser = Browser(app.test_client())
    browser.sign_in("bo")
    return browser


@pytest.fixture
def ivar(app) -> Browser:
    browser = Browser(app.test_client())
    browser.sign_in("ivar")
    return browser
