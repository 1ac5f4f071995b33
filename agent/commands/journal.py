"""Every command ever taken, on disk before anything is done about it.

What makes "never twice" hold whatever the clock says: a command is taken only if it was issued after the
*fence* and its id is not here. An entry is forgotten only while the fence is moved past it, so that what has
been forgotten is refused; and an entry is kept for longer than any command is valid, so that nothing which is
still valid is. A journal that is begun anew (first start, a damaged store) sets its fence at the region's time.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pydantic import TypeAdapter

from agent.commands.life import Entry
from agent.store import Store

VALID_AT_MOST = timedelta(days=30)
KEPT = VALID_AT_MOST + timedelta(days=2)
ENTRIES_AT_MOST = 5000
"""About 2 MB. Of more, the oldest that are over go early, and the fence says so."""
_FENCE = "command_fence"
_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)


class CommandJournal:
    """Used on the event loop; every write is on disk when the call returns, and raises sqlite3.Error else."""

    def __init__(self, store: Store) -> None:
        self._store = store
        kept = store.get(_FENCE)
        self.fence = datetime.fromisoformat(kept.decode()) if kept else None

    def get(self, command_id: str) -> Entry | None:
        """What is known of a command."""
        rows = self._store.run("SELECT value FROM command WHERE id = ?", command_id)
        return _ENTRY.validate_json(rows[0][0]) if rows else None

    def put(self, entry: Entry) -> None:
        """Write a command down. Of one that is over the arguments go: addresses, and what stood on the screen."""
        kept = replace(entry, arguments={}) if entry.is_over else entry
        self._store.run(
            "INSERT INTO command VALUES (?, ?, 1, ?) ON CONFLICT (id) DO UPDATE SET value = excluded.value",
            entry.id,
            entry.issued_at.timestamp(),
            _ENTRY.dump_json(kept),
        )
        if entry.is_over and entry.arguments:
            self._store.scrub()

    def open(self) -> list[Entry]:
        """Those that the region is to hear of, in the order they came."""
        rows = self._store.run("SELECT value FROM command WHERE is_open = 1 ORDER BY rowid")
        return [_ENTRY.validate_json(row[0]) for row in rows]

    def told(self, command_id: str) -> None:
        """The region knows how it ended; its id stays."""
        self._store.run("UPDATE command SET is_open = 0 WHERE id = ?", command_id)

    def raise_fence(self, at: datetime) -> None:
        """Refuse from now on what was issued until then and is not here."""
        if self.fence is None or at > self.fence:
            self._store.put(_FENCE, at.astimezone(UTC).isoformat().encode())
            self.fence = at

    def forget_old(self, now: datetime) -> None:
        """Forget what no valid command can be mistaken for, and more only if there are too many."""
        self._forget("issued < ?", (now - KEPT).timestamp())
        count = int(self._store.run("SELECT count(*) FROM command")[0][0])
        if count > ENTRIES_AT_MOST:
            query = "SELECT issued FROM command WHERE is_open = 0 ORDER BY issued LIMIT 1 OFFSET ?"
            [[newest]] = self._store.run(query, count - ENTRIES_AT_MOST - 1) or [[0.0]]
            self._forget("issued <= ?", newest)

    def _forget(self, which: str, until: float) -> None:
        which = f"{which} AND is_open = 0"
        [[newest]] = self._store.run(f"SELECT max(issued) FROM command WHERE {which}", until)  # noqa: S608
        if newest is not None:
            with self._store.transaction():
                self.raise_fence(datetime.fromtimestamp(newest, UTC))
                self._store.run(f"DELETE FROM command WHERE {which}", until)  # noqa: S608
