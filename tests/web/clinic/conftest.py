from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.test import TestResponse

sys.path.insert(0, str(Path(__file__).parent))

from clinic_fakes import PASSWORD, FakeRegion

from web.clinic import WebSettings, create_app

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


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


class _Compiled(BytecodeCache):
    """Templates compiled once for all tests: each test has an app of its own."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key] = bucket.bytecode_to_string()


COMPILED = _Compiled()


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


@pytest.fixture
def app(region, clock):
    settings = WebSettings("s" * 32, "http://localhost", feed_ping_s=0.01, max_feeds_per_account=2)
    app = create_app(region, region, settings, now=clock)
    app.jinja_env.bytecode_cache = COMPILED
    return app


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
