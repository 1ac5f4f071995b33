"""Calls for help as the unit makes them: kept on disk, sent until answered, shown and lit. On the event loop."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from pydantic import TypeAdapter, ValidationError

from agent import help as help_state
from agent.contract.events import Intent, Notice
from agent.help import Help
from agent.memory import Fields, Memory
from agent.screen import HelpState

log = logging.getLogger(__name__)

KEY = "help"
ASK_AGAIN_S = 15.0
"""A region that was away hears of it by then, and one that has an answer sends it again."""
PRESSED_AGAIN_S = 2.0
"""Pressing again and again is one call, and not a line full of them."""
ID_BYTES = 6
_KEPT: TypeAdapter[Help | None] = TypeAdapter(Help | None)


class HelpCalls:
    """The room's one call for help. `intend` asks the region (False: out of reach), `record` notes a fact."""

    def __init__(
        self,
        memory: Memory,
        *,
        kept: bytes | None,
        now: Callable[[], datetime],
        monotonic_s: Callable[[], float],
        record: Callable[[str, str | None, Fields], None],
        intend: Callable[[str, Intent], bool],
        is_up: Callable[[], bool],
    ) -> None:
        self._memory = memory
        self._now = now
        self._monotonic_s = monotonic_s
        self._record = record
        self._intend = intend
        self._is_up = is_up
        self._call = _read(kept)
        self._sent_at_s: float | None = None

    @property
    def state(self) -> HelpState:
        """For the screen and the panel."""
        return help_state.state(self._call, self._now(), region_up=self._is_up())

    def ask(self, sid: str | None, *, how: str = "") -> bool:
        """Ask for help; False when the region cannot be reached. Asking again and again is one call."""
        if help_state.begins(self._call, self._now()):
            call = Help(secrets.token_hex(ID_BYTES), self._now(), sid)
            self._keep(call)
            self._record("help_asked", sid, _fields(call, how))
        return self._was_sent_within(PRESSED_AGAIN_S) or self._send()

    def over(self, *, how: str = "") -> bool:
        """Take it back: the staff are here, or it was pressed by mistake. False if there is none."""
        call = self._call
        if call is None:
            return False
        self._keep(None)
        self._record("help_over", call.sid, _fields(call, how))
        self._intend("help_over", Intent(id=call.id, sid=call.sid))
        return True

    def answered(self, notice: Notice) -> None:
        """Somebody at the centre comes (`dn/notice/help_answered`)."""
        call = help_state.answer(self._call, notice.id, self._now())
        if call is not None and call != self._call:
            self._keep(call)
            self._record("help_answered", call.sid, _fields(call))

    def tick(self) -> None:
        """Let a second pass: note that nobody came, say it again to a region that may not have heard."""
        call, now = self._call, self._now()
        if call is not None and help_state.is_missed(call, now):
            self._keep(replace(call, missed=True))
            self._record("help_unanswered", call.sid, _fields(call))
        elif help_state.is_past(call, now):
            self.over()
        elif call is not None and call.is_open and self._send_again_due():
            self._send()

    def patient_came(self, sid: str) -> None:
        """A session's patient has checked in: an earlier one's call is no longer shown to whoever comes now.

        At the region it rings on until somebody has looked.
        """
        if self._call is not None and self._call.sid not in (None, sid):
            self._keep(None)

    def patient_went(self) -> None:
        """The session is over: a call that was answered is too, one that was not rings on."""
        if self._call is not None and not self._call.is_open:
            self.over()

    def _send_again_due(self) -> bool:
        if not self._is_up():
            self._sent_at_s = None
            return False
        return not self._was_sent_within(ASK_AGAIN_S)

    def _was_sent_within(self, span_s: float) -> bool:
        return self._sent_at_s is not None and self._monotonic_s() - self._sent_at_s < span_s

    def _send(self) -> bool:
        call = self._call
        if call is None:
            return False
        if not call.is_open:
            return True
        if not self._intend("help", Intent(id=call.id, sid=call.sid)):
            return False
        self._sent_at_s = self._monotonic_s()
        return True

    def _keep(self, call: Help | None) -> None:
        self._call = call
        self._sent_at_s = None
        self._memory.keep(KEY, _KEPT.dump_json(call))


def _fields(call: Help, how: str = "") -> Fields:
    return {"id": call.id, "how": how} if how else {"id": call.id}


def _read(kept: bytes | None) -> Help | None:
    try:
        return _KEPT.validate_json(kept) if kept else None
    except ValidationError:
        log.error("a kept call for help cannot be read; it is dropped")  # noqa: TRY400 - it would repeat it
        return None
