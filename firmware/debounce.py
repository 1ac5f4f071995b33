"""Switches as people press them: contacts that bounce, hands that tremble, buttons that stick.

gpiozero's own bounce_time differs from pin library to pin library: with some the edges of a whole bounce are
ignored after the first, and the state in which it ends is lost. Here any edge only begins a wait, and what the
line says when it has been quiet is what counts.
"""

from __future__ import annotations

from collections.abc import Callable

from firmware.panel_clock import PanelClock

SETTLES_S = 0.03
"""Contacts of push buttons bounce for some milliseconds; a press of a finger takes 50 at least."""
CHATTER_S = 0.25
"""A contact that never comes to rest is taken as it is by then."""
AGAIN_S = 0.5
"""What comes sooner after a press is the same one, of a hand that trembles."""
STUCK_S = 30.0
"""Nobody holds a button for that long."""


class Switch:
    """A line that is on or off once it has settled; on_change(is_on) in the panel's thread.

    `edge` is to be called at any change, in any thread; read() may raise whatever the pin library raises.
    """

    def __init__(
        self, name: str, read: Callable[[], bool], clock: PanelClock, on_change: Callable[[bool], None]
    ) -> None:
        self._name, self._read, self._clock = name, read, clock
        self._on_change = on_change
        self._unsettled_at: float | None = None
        self.is_on = read()

    def edge(self) -> None:
        """The line has changed."""
        now = self._clock.now()
        if self._unsettled_at is None:
            self._unsettled_at = now
        self._clock.after(
            self._name, min(SETTLES_S, max(0.0, self._unsettled_at + CHATTER_S - now)), self.look
        )

    def look(self) -> None:
        """Take the line as it is now."""
        self._unsettled_at = None
        is_on = self._read()
        if is_on != self.is_on:
            self.is_on = is_on
            self._on_change(is_on)


class PushButton:
    """One press is one call of on_press, however it bounces and however long it is held. on_stuck(True) when it is
    held for 30 s, on_stuck(False) when it is let go. One that is held already at the start is no press."""

    def __init__(
        self,
        name: str,
        read: Callable[[], bool],
        clock: PanelClock,
        on_press: Callable[[], None],
        on_stuck: Callable[[bool], None],
    ) -> None:
        self._name, self._clock = name, clock
        self._on_press, self._on_stuck = on_press, on_stuck
        self._is_stuck = False
        self._let_go_at = self._pressed_at = float("-inf")
        self._switch = Switch(name, read, clock, self._changed)
        if self._switch.is_on:
            self._watch()

    def edge(self) -> None:
        """The line has changed."""
        self._switch.edge()

    def _changed(self, is_down: bool) -> None:
        now = self._clock.now()
        if is_down:
            is_new = now - max(self._pressed_at, self._let_go_at) >= AGAIN_S
            self._pressed_at = now
            self._watch()
            if is_new:
                self._on_press()
            return
        self._let_go_at = now
        self._clock.forget(f"{self._name} held")
        if self._is_stuck:
            self._is_stuck = False
            self._on_stuck(False)

    def _watch(self) -> None:
        self._clock.after(f"{self._name} held", STUCK_S, self._held)

    def _held(self) -> None:
        self._switch.look()  # the edge may have been lost
        if self._switch.is_on:
            self._watch()
            if not self._is_stuck:
                self._is_stuck = True
                self._on_stuck(True)
