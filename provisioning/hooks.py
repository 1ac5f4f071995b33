"""Where parts of the region's service join its one worker thread: messages, ticks, connections, changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from agent.contract import Message

Heard = Callable[[str, Message], None]
"""unit (or serial number, of a bootstrap's topic), message."""


class Hooks:
    """Filled in at the wiring; everything in it is called on the worker thread, in the order it was added."""

    def __init__(self) -> None:
        self._heard: dict[str, list[Heard]] = defaultdict(list)
        self._outbox: dict[str, Callable[[str], None]] = {}
        self.ticks: list[Callable[[], None]] = []
        self.connected: list[Callable[[], None]] = []
        self.turns_away: Callable[[str, Message], bool] = lambda _unit, _message: False
        """Says whether a message is to be left unheard: its unit is revoked."""

    def on_message(self, channel: str, heard: Heard) -> None:
        """Call heard for every message on a channel, after what the inbox itself does with it."""
        self._heard[channel].append(heard)

    def on_outbox(self, what: str, work: Callable[[str], None]) -> None:
        """Call work(unit) when a transaction has left `models.OutboxRow(unit_id=unit, what=what)`."""
        self._outbox[what] = work

    def heard(self, unit: str, message: Message) -> bool:
        """Hand a message on; says whether anybody wanted it."""
        hooks = self._heard.get(message.topic.channel, ())
        for hook in hooks:
            hook(unit, message)
        return bool(hooks)

    def changed(self, what: str, unit: str) -> None:
        """Something of a unit was changed by whichever process."""
        work = self._outbox.get(what)
        if work is not None:
            work(unit)
