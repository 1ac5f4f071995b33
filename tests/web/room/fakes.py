"""An agent in memory: its screen is whatever the test says, and it remembers what was touched."""

from __future__ import annotations

import io
import queue
import wave
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from agent.contract.quality import Received
from agent.screen import (
    Lock,
    NoSuchMedia,
    Outcome,
    PartyLine,
    Screen,
    ScreenEvent,
    SessionLine,
    SessionView,
    TooManyScreens,
    Touch,
    WhepAnswer,
)
from agent.speech import CannotSpeak

NOW = datetime(2026, 11, 23, 9, 20, tzinfo=UTC)
SECRET = "0123456789abcdefghijklmnopqrstuv"


def line(
    ref: str, minutes: int, *, state: str = "booked", methods: tuple[str, ...] = ("code",)
) -> SessionLine:
    """A session that begins so many minutes from NOW."""
    start = NOW + timedelta(minutes=minutes)
    return SessionLine(f"sid-{ref}", ref, start, start + timedelta(minutes=30), state, methods)


def view(**changes: Any) -> SessionView:
    """The session in the room."""
    party = PartyLine("p1", "clinician", "account", "connected")
    whole = SessionView(
        sid="sid-A17",
        ref="A17",
        start=NOW + timedelta(minutes=10),
        state="waiting",
        meets="clinician",
        clinic="Björkens vårdcentral",
        language="sv",
        late=False,
        microphone=True,
        camera=True,
        line="fine",
        parties=(party,),
    )
    return replace(whole, **changes)


def screen(**changes: Any) -> Screen:
    """An idle, healthy room with a session in ten minutes."""
    whole = Screen(
        page="idle",
        now=NOW,
        room_name="Hälsorum 2",
        phone="010-123 45 67",
        ready=True,
        faults=(),
        region_up=True,
        next_session=line("A17", 10),
        can_check_in=(line("A17", 10),),
        code_lock=Lock(5, None),
        pin_lock=Lock(5, None),
        staff_unlocked_until=None,
        staff_sessions=(),
        session=None,
        media_generation=1,
    )
    return replace(whole, **changes)


class FakeEvents:
    """A subscription that the controller feeds."""

    def __init__(self, controller: FakeController) -> None:
        self._controller = controller
        self.items: queue.SimpleQueue[ScreenEvent] = queue.SimpleQueue()

    def get(self, timeout_s: float) -> ScreenEvent | None:
        try:
            return self.items.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def close(self) -> None:
        self._controller.subscribers.remove(self)


class FakeController:
    """`outcomes` maps a touch's kind to its answer; `on_touch` may change the screen as the agent would."""

    def __init__(self, first: Screen | None = None, max_screens: int = 4) -> None:
        self.now = first or screen()
        self.max_screens = max_screens
        self.subscribers: list[FakeEvents] = []
        self.touches: list[Touch] = []
        self.outcomes: dict[str, Outcome] = {}
        self.offers: list[tuple[str, str]] = []
        self.closed: list[str] = []
        self.seen: list[tuple[str, Received]] = []
        self.still: list[frozenset[str]] = []

    def screen(self) -> Screen:
        return self.now

    def show(self, new: Screen) -> None:
        """The state has changed: every open page hears it."""
        self.now = new
        for subscriber in list(self.subscribers):
            subscriber.items.put(("screen", new))

    def level(self, decibels: float) -> None:
        """The microphone heard this much (dBFS)."""
        for subscriber in list(self.subscribers):
            subscriber.items.put(("level", decibels))

    def resized(self, px_per_mm: float) -> None:
        """The screen's size is another."""
        for subscriber in list(self.subscribers):
            subscriber.items.put(("px_per_mm", px_per_mm))

    def subscribe(self) -> FakeEvents:
        if len(self.subscribers) >= self.max_screens:
            raise TooManyScreens
        events = FakeEvents(self)
        events.items.put(("screen", self.now))
        self.subscribers.append(events)
        return events

    def touch(self, touch: Touch) -> Outcome:
        self.touches.append(touch)
        outcome = self.outcomes.get(touch.kind, Outcome())
        if touch.kind == "help" and outcome.ok:
            self.show(replace(self.now, help_state="sent"))
        return outcome

    def whep_offer(self, name: str, sdp: str) -> WhepAnswer:
        self.offers.append((name, sdp))
        if name == "peer/nobody":
            raise NoSuchMedia(name)
        if "unusable" in sdp:
            raise ValueError("no media section")
        return WhepAnswer("v=0\r\nanswer", "r1")

    def whep_close(self, resource: str) -> None:
        self.closed.append(resource)

    def stands_still(self, peers: frozenset[str]) -> None:
        self.still.append(peers)

    def shown(self, peer: str, figures: Received) -> None:
        self.seen.append((peer, figures))


class FakeVoice:
    """Says a tenth of a second of silence, and remembers what it should have said."""

    def __init__(self, languages: tuple[str, ...] = ("sv", "en", "fi", "ar")) -> None:
        self.languages = languages
        self.said: list[tuple[str, str]] = []
        self.fails = False

    def say(self, language: str, text: str) -> bytes:
        if self.fails:
            raise CannotSpeak("it is a test")
        self.said.append((language, text))
        file = io.BytesIO()
        with wave.open(file, "wb") as wav:
            wav.setnchannels(1)
            wav.setsampwidth(2)
            wav.setframerate(22050)
            wav.writeframes(bytes(4410))
        return file.getvalue()
