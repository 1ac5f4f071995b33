"""What the page shows, spoken: who may ask, how much, and what is kept of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import ORIGIN, PORT, Kiosk
from fakes import SECRET, FakeController, FakeVoice
from flask.testing import FlaskClient

from web.room import RoomWebSettings, create_app
from web.room.catalogue import text
from web.room.speech import BURST, KEPT, MAX_CHARACTERS, Bucket, Spoken

WAITING = text("sv", "waiting.title")


@pytest.fixture(scope="module")
def built() -> tuple[FlaskClient, FakeVoice]:
    voice = FakeVoice()
    app = create_app(FakeController(), RoomWebSettings(port=PORT, browser_secret=SECRET), voice)
    app.test_client_class = Kiosk
    return app.test_client(), voice


@pytest.fixture
def kiosk(built: tuple[FlaskClient, FakeVoice], monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskClient]:
    client, voice = built
    voice.said.clear()
    client.get(f"/enter?key={SECRET}")
    monkeypatch.setattr(Bucket, "lets_through", lambda _self: True)
    return client


def ask(client: FlaskClient, **body: object) -> int:
    return client.post("/api/speech", json=body).status_code


def test_a_sentence_comes_back_as_sound_that_no_cache_keeps(kiosk: FlaskClient, built) -> None:
    answer = kiosk.post("/api/speech", json={"language": "sv", "text": "Din tid: 10:30"})
    assert (answer.status_code, answer.content_type) == (200, "audio/wav")
    assert answer.data.startswith(b"RIFF")
    assert answer.headers["Cache-Control"] == "no-store"
    assert built[1].said == [("sv", "Din tid: 10:30")]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"language": "sv", "text": " "}, 400),
        ({"language": "sv", "text": "a" * (MAX_CHARACTERS + 1)}, 400),
        ({"language": "sv", "text": "a", "voice": "-x"}, 400),
        ({"language": ["sv"], "text": "a"}, 400),
        ({"language": "se", "text": "Bures"}, 404),
    ],
)
def test_what_cannot_be_said_is_refused(kiosk: FlaskClient, built, body, status) -> None:
    assert ask(kiosk, **body) == status
    assert built[1].said == []


def test_a_voice_that_fails_is_told_without_the_text(kiosk: FlaskClient, built, caplog) -> None:
    built[1].fails = True
    answer = kiosk.post("/api/speech", json={"language": "sv", "text": "Anna väntar"})
    built[1].fails = False
    assert answer.status_code == 503
    assert "Anna" not in answer.text + caplog.text


def test_a_stranger_and_another_origin_are_refused(built) -> None:
    client = built[0].application.test_client()
    body = {"language": "sv", "text": "Hej"}
    assert (
        client.post("/api/speech", json=body, base_url=ORIGIN, headers={"Origin": ORIGIN}).status_code == 403
    )
    client.get(f"/enter?key={SECRET}", base_url=ORIGIN)
    evil = {"Origin": "http://evil.example"}
    assert client.post("/api/speech", json=body, base_url=ORIGIN, headers=evil).status_code == 403


def test_only_the_catalogues_own_sentences_are_kept_and_not_too_many() -> None:
    voice = FakeVoice()
    spoken = Spoken(voice)
    for _ in range(2):
        spoken.say("sv", WAITING)
        spoken.say("sv", "Anna har kommit.")
    assert voice.said == [("sv", WAITING), ("sv", "Anna har kommit."), ("sv", "Anna har kommit.")]
    for code, sentence in sorted(spoken._fixed)[: KEPT + 5]:
        spoken.say(code, sentence)
    assert len(spoken._kept) == KEPT


def test_a_burst_passes_and_then_so_many_a_second() -> None:
    now = 0.0
    bucket = Bucket(BURST, 4.0, lambda: now)
    assert [bucket.lets_through() for _ in range(BURST + 1)] == [True] * BURST + [False]
    now = 0.25
    assert [bucket.lets_through(), bucket.lets_through()] == [True, False]
