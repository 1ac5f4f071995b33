"""Who is heard while the agent is away: the room's page alone, and as often as it calls."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from http import HTTPStatus

import pytest

from firmware.kiosk.lifeline import HOST, PATH, Lifeline

ORIGIN = "http://localhost:8400"


@pytest.fixture
def lifeline() -> Iterator[Lifeline]:
    made = Lifeline(0, ORIGIN)
    yield made
    made.close()


def status(lifeline: Lifeline, origin: str = ORIGIN, path: str = PATH, body: bytes | None = b"") -> int:
    asked = urllib.request.Request(f"http://{HOST}:{lifeline.port}{path}", body, {"Origin": origin})
    try:
        with urllib.request.urlopen(asked, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_each_call_of_the_page_counts(lifeline: Lifeline) -> None:
    assert [status(lifeline) for _ in range(3)] == [HTTPStatus.NO_CONTENT] * 3
    assert lifeline.calls == 3


def test_no_other_page_is_heard(lifeline: Lifeline) -> None:
    assert status(lifeline, origin="http://localhost:80") == HTTPStatus.FORBIDDEN
    assert status(lifeline, path="/") == HTTPStatus.FORBIDDEN
    assert status(lifeline, body=None) == HTTPStatus.NOT_IMPLEMENTED
    assert lifeline.calls == 0


def test_a_second_one_at_the_same_place_is_refused(lifeline: Lifeline) -> None:
    with pytest.raises(OSError, match="in use"):
        Lifeline(lifeline.port, ORIGIN)
