"""The touchscreen's way into the agent: web threads on one side, the event loop on the other.

Threads meet in queues only: a web thread puts its wish on the loop and waits for the answer; the loop puts
what the screen shall show on each browser's queue and never waits.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from agent.contract.quality import Received
from agent.screen import NoSuchMedia, Outcome, Screen, ScreenEvent, TooManyScreens, Touch, WhepAnswer
from agent.subscription import Subscription

MAX_SCREENS = 8
"""Open feeds; each holds one web thread. One is the kiosk; the rest are reloads not yet noticed."""
ANSWER_WITHIN_S = 8.0

T = TypeVar("T")


class DoesTouches(Protocol):
    """Does one touch and says what came of it."""

    async def do(self, touch: Touch) -> Outcome: ...


class Whep(Protocol):
    """The media side's two calls."""

    async def whep_offer(self, name: str, sdp: str) -> Any: ...  # noqa: ANN401
    async def whep_close(self, resource: str) -> None: ...


class Controller:
    """A RoomController (agent/screen.py). Every public method may be called on any thread."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        touches: DoesTouches,
        whep: Whep,
        first: Screen,
        *,
        on_shown: Callable[[str, Received], None] = lambda _peer, _figures: None,
        on_watched: Callable[[int], None] = lambda _screens: None,
        on_still: Callable[[frozenset[str]], None] = lambda _peers: None,
    ) -> None:
        self._loop = loop
        self._touches = touches
        self._whep = whep
        self._on_shown = on_shown
        self._on_watched = on_watched
        self._on_still = on_still
        self._screen = first
        self._lock = threading.Lock()
        self._subscriptions: list[Subscription] = []

    def screen(self) -> Screen:
        """The state now."""
        return self._screen

    def show(self, screen: Screen) -> None:
        """Take a new screen; what differs in the time alone is shown once a second anyway."""
        is_same = replace(screen, now=self._screen.now) == self._screen
        if is_same and abs((screen.now - self._screen.now).total_seconds()) < 1:
            return
        self._screen = screen
        self._tell(("screen", screen))

    @property
    def screens(self) -> int:
        """How many pages listen."""
        return len(self._subscriptions)

    def oldest_asked_at(self) -> float | None:
        """When the feed silent for longest last came for an event, of time.monotonic(); None: no feed."""
        with self._lock:
            return min((each.asked_at for each in self._subscriptions), default=None)

    def level(self, level_dbfs: float) -> None:
        """The microphone's level, dBFS."""
        self._tell(("level", level_dbfs))

    def resized(self, px_per_mm: float) -> None:
        """The screen's size is known better: the pages are laid out anew."""
        self._tell(("px_per_mm", px_per_mm))

    def subscribe(self) -> Subscription:
        """Events from now on, the present screen first. Raises TooManyScreens."""
        subscription = Subscription(self.unsubscribe)
        with self._lock:
            if len(self._subscriptions) >= MAX_SCREENS:
                raise TooManyScreens
            self._subscriptions.append(subscription)
            subscription.put(("screen", self._screen))
            self._watched()
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription; one that has ended is fine."""
        with self._lock:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)
                self._watched()

    def touch(self, touch: Touch) -> Outcome:
        """Do what was touched."""
        return self._on_loop(self._touches.do(touch))

    def whep_offer(self, name: str, sdp: str) -> WhepAnswer:
        """Connect the browser; raises NoSuchMedia."""
        answer = self._on_loop(self._whep.whep_offer(name, sdp))
        return WhepAnswer(sdp=answer.sdp, resource=answer.id)

    def whep_close(self, resource: str) -> None:
        """Close such a connection."""
        self._on_loop(self._whep.whep_close(resource))

    def shown(self, peer: str, figures: Received) -> None:
        """Hand over what the browser showed of a party."""
        self._loop.call_soon_threadsafe(self._on_shown, peer, figures)

    def stands_still(self, peers: frozenset[str]) -> None:
        """Hand over whose picture stands still in the browser."""
        self._loop.call_soon_threadsafe(self._on_still, peers)

    def _watched(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._on_watched, len(self._subscriptions))

    def _tell(self, event: ScreenEvent) -> None:
        with self._lock:
            subscriptions = tuple(self._subscriptions)
        for subscription in subscriptions:
            subscription.put(event)

    def _on_loop(self, work: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(ANSWER_WITHIN_S)
        except FutureTimeoutError:
            future.cancel()
            raise NoSuchMedia("the agent did not answer in time") from None
