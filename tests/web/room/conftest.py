"""The touchscreen's app around an agent in memory, asked as its own browser would."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fakes import SECRET, FakeController
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from web.room import RoomWebSettings, create_app

PORT = 25100
ORIGIN = f"http://localhost:{PORT}"


@pytest.fixture(scope="session")
def built() -> tuple[Flask, FakeController]:
    """Routes are compiled once; what the controller holds is new for each test."""
    controller = FakeController()
    return create_app(
        controller, RoomWebSettings(port=PORT, browser_secret=SECRET, max_streams=2)
    ), controller


@pytest.fixture
def controller(built: tuple[Flask, FakeController]) -> Iterator[FakeController]:
    kept = built[1]
    kept.__init__()  # type: ignore[misc]
    yield kept
    assert kept.subscribers == [], "a feed was left open"


class Browser(FlaskClient):
    """A test client that speaks to the app's own address, with the headers a browser adds."""

    own: ClassVar[dict[str, str]] = {}

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        kwargs.setdefault("base_url", ORIGIN)
        kwargs["headers"] = {**self.own, **kwargs.get("headers", {})}
        return super().open(*args, **kwargs)


class Kiosk(Browser):
    own: ClassVar[dict[str, str]] = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def app(built: tuple[Flask, FakeController], controller: FakeController) -> Flask:
    return built[0]


@pytest.fixture
def stranger(app: Flask) -> FlaskClient:
    """On the right host, but without the secret."""
    app.test_client_class = Browser
    return app.test_client()


@pytest.fixture
def kiosk(app: Flask) -> FlaskClient:
    """The room's own browser, let in."""
    app.test_client_class = Kiosk
    client = app.test_client()
    assert client.get(f"/enter?key={SECRET}").status_code == 303
    return client
