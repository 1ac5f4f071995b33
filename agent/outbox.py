"""Facts on their way to the region: numbered, chained, signed, kept until acknowledged.

Each event carries the hash of the one before it and a signature over its own, so that a gap or a change
shows at the region. The epoch is the second in which the chain began, so that a unit whose store was lost
begins a later one. Should the region know a later one all the same (the clock was ahead when that began, or a disk
is back that was away meanwhile), what has not been told moves to one later still: nobody would hear it else.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from pydantic import TypeAdapter

from agent.contract.events import GENESIS, Event, EventKind, event_hash
from agent.store import Store

log = logging.getLogger(__name__)

BATCH = 50
MAX_TEXT = 120
_HEAD: TypeAdapter[tuple[int, int, str]] = TypeAdapter(tuple[int, int, str])


class Outbox:
    """A durable queue of events. Used on the event loop only."""

    def __init__(self, store: Store, sign: Callable[[str], str], now: datetime) -> None:
        self._store = store
        self._sign = sign
        self._began = int(now.timestamp())
        self.reload()

    def reload(self) -> None:
        """Take the chain's head from the store: after a write that failed, it is where it was before."""
        kept = self._store.get("head")
        self._head = _HEAD.validate_json(kept) if kept else (self._began, 0, GENESIS)

    @property
    def head(self) -> tuple[int, int]:
        """Epoch and sequence of the newest event."""
        return self._head[0], self._head[1]

    def add(
        self,
        kind: EventKind,
        now: datetime,
        sid: str | None = None,
        fields: Mapping[str, str | int | float | bool] | None = None,
    ) -> Event:
        """Append a fact; it is on disk when this returns."""
        epoch, seq, prev = self._head
        at = now.astimezone(UTC)
        content = {name: _plain(value) for name, value in (fields or {}).items()}
        digest = event_hash(
            epoch=epoch, seq=seq + 1, prev=prev, at=at.isoformat(), kind=kind, sid=sid, fields=content
        )
        event = Event(
            epoch=epoch,
            seq=seq + 1,
            prev=prev,
            at=at,
            kind=kind,
            sid=sid,
            fields=content,
            hash=digest,
            signature=self._sign(digest),
        )
        head = (epoch, seq + 1, digest)
        self._store.append(epoch, seq + 1, event.model_dump_json().encode(), _HEAD.dump_json(head))
        self._head = head
        return event

    def pending(self) -> list[Event]:
        """The oldest events that nobody has acknowledged, at most BATCH."""
        return [Event.model_validate_json(value) for value in self._store.pending(BATCH)]

    def acknowledge(self, epoch: int, seq: int) -> None:
        """The region keeps all events up to this one. Raises sqlite3.Error when that cannot be noted."""
        if (epoch, seq) <= self.head:
            self._store.acknowledged(epoch, seq)
        elif epoch > self.head[0]:
            self._begin_later_than(epoch)

    def _begin_later_than(self, epoch: int) -> None:
        """What waits is numbered anew, in a chain that the region takes."""
        log.warning("the region knows a later chain of events than this store; a new one is begun")
        try:
            with self._store.transaction():
                waiting = [Event.model_validate_json(value) for value in self._store.pending(-1)]
                self._store.acknowledged(*self.head)
                self._head = (max(epoch + 1, self._began), 0, GENESIS)
                for event in waiting:
                    self.add(event.kind, event.at, event.sid, event.fields)
                if not waiting:
                    self._store.put("head", _HEAD.dump_json(self._head))
        except BaseException:
            self.reload()
            raise


def _plain(value: str | float | bool) -> str | int | float | bool:
    """JSON has no infinity (the level of silence in dB), and an event's text is short."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value[:MAX_TEXT] if isinstance(value, str) else value
