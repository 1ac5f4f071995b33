"""What the page shows, spoken. The text comes from the page and goes back to it as sound; none of it is kept,
but for the catalogue's own sentences, which are the same for everybody."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from flask import Blueprint, Response, request
from werkzeug.exceptions import BadRequest

from agent.speech import CannotSpeak, Voice
from web.room.catalogue import catalogues
from web.room.guard import plain

MAX_CHARACTERS = 400
BURST = 8
PER_SECOND = 4.0
"""Someone who tabs along the footer in a hurry; what is more comes from no finger."""
KEPT = 48
"""Sentences in memory, 2 to 4 s of sound each: under 10 MB."""


class BadSpeech(ValueError):
    """The page sent something that cannot be said; says which field, never what stood there."""


class Bucket:
    """Lets through a burst, then so many a second. Every method may be called on any thread."""

    def __init__(
        self, burst: int, per_second: float, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst, self._per_second, self._monotonic_s = burst, per_second, monotonic_s
        self._left, self._at = float(burst), monotonic_s()
        self._lock = threading.Lock()

    def lets_through(self) -> bool:
        """Whether one more may pass now."""
        with self._lock:
            now = self._monotonic_s()
            self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
            self._at = now
            if self._left < 1:
                return False
            self._left -= 1
            return True


class Spoken:
    """Makes sound of text, and keeps that of the catalogue's fixed sentences, in memory alone."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._lock = threading.Lock()
        self._fixed = {
            (code, text) for code, texts in catalogues().items() for text in texts.values() if "{" not in text
        }

    def say(self, language: str, text: str) -> bytes:
        """A WAV file; raises CannotSpeak."""
        key = (language, text)
        if key not in self._fixed:
            return self._voice.say(language, text)
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        sound = self._voice.say(language, text)
        with self._lock:
            self._kept[key] = sound
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return sound


def blueprint(voice: Voice) -> Blueprint:
    """`POST /api/speech` with `{"language", "text"}`: 200 with audio/wav, 400 for what is no such body, 404 for a
    language without a voice, 429 if too often, 503 when the voice fails. The text is in no address, since
    addresses are what gets remembered."""
    bp = Blueprint("speech", __name__)
    bucket = Bucket(BURST, PER_SECOND)
    spoken = Spoken(voice)

    @bp.post("/api/speech")
    def speech() -> Response:
        try:
            language, text = wanted(request.get_json())
        except BadSpeech as error:
            return plain(str(error), 400)
        except BadRequest:
            return plain("The body must be JSON, sent as application/json.", 400)
        if language not in voice.languages:
            return plain("The screen has no voice for that language.", 404)
        if not bucket.lets_through():
            return plain("Too much to say at once. Wait a second.", 429)
        try:
            return Response(spoken.say(language, text), content_type="audio/wav")
        except CannotSpeak:
            return plain("The voice did not work. Read the screen, or ask for help.", 503)

    return bp


def wanted(body: object) -> tuple[str, str]:
    """Language and text from decoded JSON; raises BadSpeech."""
    if not isinstance(body, dict) or set(body) != {"language", "text"}:
        raise BadSpeech("What is to be said has the fields language and text, and no others.")
    language, text = body["language"], body["text"]
    if not isinstance(language, str) or not isinstance(text, str) or not text.strip():
        raise BadSpeech("language and text must be words.")
    if len(text) > MAX_CHARACTERS:
        raise BadSpeech(f"text: at most {MAX_CHARACTERS} characters.")
    return language, text
