"""A touchscreen that shows one page and takes no touch: while a unit is taken out of service, and afterwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from agent.contract.quality import Received
from agent.screen import Lock, NoSuchMedia, Outcome, Screen, Touch, WhepAnswer
from agent.subscription import Subscription

Halted = Literal["wiping", "wiped"]
_NO_LOCK = Lock(5, None)


def halted_screen(halted: Halted, now: datetime) -> Screen:
    """The page that says why there is no other."""
    return Screen(
        page="halted",
        now=now,
        room_name="",
        phone="",
        ready=False,
        faults=(),
        region_up=False,
        next_session=None,
        can_check_in=(),
        code_lock=_NO_LOCK,
        pin_lock=_NO_LOCK,
        staff_unlocked_until=None,
        staff_sessions=(),
        session=None,
        media_generation=0,
        halted=halted,
    )


class StillScreen:
    """A RoomController (agent/screen.py). Every method may be called on any thread."""

    def __init__(self, page: Callable[[], Screen]) -> None:
        self._page = page

    def screen(self) -> Screen:
        """The page."""
        return self._page()

    def subscribe(self) -> Subscription:
        """The page at once, and nothing after it."""
        subscription = Subscription()
        subscription.put(("screen", self.screen()))
        return subscription

    def touch(self, _touch: Touch) -> Outcome:
        """Nothing can be touched."""
        return Outcome("not_now")

    def whep_offer(self, _name: str, _sdp: str) -> WhepAnswer:
        """There is no picture."""
        raise NoSuchMedia("this unit is out of service")

    def whep_close(self, _resource: str) -> None:
        """There was none."""

    def stands_still(self, _peers: frozenset[str]) -> None:
        """There is no meeting."""

    def shown(self, _peer: str, _figures: Received) -> None:
        """Likewise."""
