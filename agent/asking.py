"""Asking the region for something and waiting for its answer. Used on the event loop."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from agent.contract.events import Intent, Notice

ANSWER_WITHIN_S = 5.0
"""How long a touch waits for the region; an answer that comes later is shown when it comes."""
GIVEN_UP_S = 30.0
"""The broker drops what it could not deliver by then: no answer comes any more."""

Answered = Callable[[Notice | None], None]
"""Gets the region's answer; None: there will be none, and nobody knows what became of it."""
Heard = Notice | None | Literal["later", "unheard"]
"""What whoever asks gets: what `Answered` gets, or that it is still to come, or that nobody hears."""


@dataclass(slots=True)
class _Open:
    key: object
    answered: Answered
    future: asyncio.Future[Notice | None]


class Asking:
    """Each question once: the same one, asked again while it is open, waits for the same answer."""

    def __init__(self, intend: Callable[[str, Intent], bool]) -> None:
        self._intend = intend
        self._open: dict[str, _Open] = {}

    async def ask(self, kind: str, intent: Intent, answered: Answered) -> Heard:
        """Ask, and wait a little for the answer."""
        key = (kind, intent)
        known = next((each for each in self._open.values() if each.key == key), None)
        if known is None:
            number = uuid.uuid4().hex[:16]
            loop = asyncio.get_running_loop()
            known = self._open[number] = _Open(key, answered, loop.create_future())
            if not self._intend(kind, intent.model_copy(update={"id": number})):
                del self._open[number]
                return "unheard"
            loop.call_later(GIVEN_UP_S, self._take, number, None)
        done, _ = await asyncio.wait([known.future], timeout=ANSWER_WITHIN_S)
        return known.future.result() if done else "later"

    def take(self, notice: Notice) -> None:
        """An answer has come; one that nobody waits for is dropped."""
        self._take(notice.id or "", notice)

    def _take(self, number: str, notice: Notice | None) -> None:
        question = self._open.pop(number, None)
        if question is not None:
            question.answered(notice)
            question.future.set_result(notice)
