"""Things shown once: an invitation's code is on one page, one time."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar

Item = TypeVar("Item")
MAX_KEPT = 200


class Once(Generic[Item]):
    """A shelf in memory: each item is for one owner and is gone when taken. The oldest gives way."""

    def __init__(self) -> None:
        self._items: OrderedDict[str, tuple[str, Item]] = OrderedDict()
        self._lock = Lock()

    def put(self, owner: str, item: Item) -> str:
        """Keep an item for its owner; the key cannot be guessed."""
        key = secrets.token_urlsafe(16)
        with self._lock:
            self._items[key] = (owner, item)
            while len(self._items) > MAX_KEPT:
                self._items.popitem(last=False)
        return key

    def see(self, owner: str, key: str) -> Item | None:
        """The item, left where it is."""
        with self._lock:
            kept = self._items.get(key)
            return kept[1] if kept is not None and kept[0] == owner else None

    def take(self, owner: str, key: str) -> Item | None:
        """The item, the first time its owner asks."""
        with self._lock:
            kept = self._items.get(key)
            if kept is None or kept[0] != owner:
                return None
            del self._items[key]
            return kept[1]
