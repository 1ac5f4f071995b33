"""What IT lets the room show while nobody is there: a line of plain text, and a large mark to find it by."""

from __future__ import annotations

import json
from datetime import datetime

from agent.memory import Memory
from agent.store import Store

KEY = "idle_message"


class IdleNotice:
    """Used on the event loop. A restart keeps the text until its time is over; `locating` it forgets."""

    def __init__(self, memory: Memory, store: Store) -> None:
        self._memory = memory
        self.locating = False
        kept = store.get(KEY)
        text, until = json.loads(kept) if kept else ("", None)
        self._text = str(text)
        self._until = datetime.fromisoformat(until) if until else None

    def show(self, text: str, until: datetime | None) -> None:
        """Show it from now on, in place of another; an empty text takes that away."""
        self._text, self._until = text, until
        self._keep()

    def text(self, now: datetime) -> str:
        """What is to stand on the idle page now."""
        if self._until is not None and now >= self._until:
            self.show("", None)
        return self._text

    def _keep(self) -> None:
        value = [self._text, self._until.isoformat() if self._until else None]
        self._memory.keep(KEY, json.dumps(value).encode())
