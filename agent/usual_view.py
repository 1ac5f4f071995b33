"""What the camera usually sees, learnt from self-tests that were well: 64 numbers (agent/media/usual_view.py)."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.media.usual_view import View, agreement
from agent.probes.camera_verdict import TURNED_BELOW
from agent.store import Store, put_if_it_takes

STORE_KEY = "usual_view"
SURE_AFTER = 2
"""Looks that agree before any other view is called turned."""
FOLLOWS = 0.2
"""How much of a new look goes into what is usual: furniture moves, seasons change."""


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    numbers: tuple[float, ...] = Field(min_length=64, max_length=64)
    looks: int = Field(ge=1)


class UsualView:
    """Of the room's own camera. A camera that was moved on purpose is told so by staff: forget()."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept = _read(store.get(STORE_KEY))

    @property
    def numbers(self) -> Sequence[float] | None:
        """What is usual; None while that is not known for sure."""
        kept = self._kept
        return kept.numbers if kept is not None and kept.looks >= SURE_AFTER else None

    def learn(self, seen: View) -> None:
        """A look at an empty, light room in which all was well."""
        kept = self._kept
        if kept is None or (kept.looks < SURE_AFTER and agreement(kept.numbers, seen) < TURNED_BELOW):
            self._keep(_Kept(numbers=tuple(map(float, seen)), looks=1))
            return
        mixed = tuple(
            round(old + FOLLOWS * (new - old), 2) for old, new in zip(kept.numbers, seen, strict=True)
        )
        self._keep(_Kept(numbers=mixed, looks=min(kept.looks + 1, 1000)))

    def forget(self) -> None:
        """The next looks are what is usual from then on."""
        self._kept = None
        put_if_it_takes(self._store, STORE_KEY, b"")

    def _keep(self, kept: _Kept) -> None:
        self._kept = kept
        put_if_it_takes(self._store, STORE_KEY, kept.model_dump_json().encode())


def _read(text: bytes | None) -> _Kept | None:
    try:
        return _Kept.model_validate_json(text) if text else None
    except ValidationError:
        return None
