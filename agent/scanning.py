"""Checking in by a QR code that is held up to the room's camera. On the event loop.

The camera is open while the page that asks for the code is shown, at most OPEN_FOR_S, and for nothing else. What a
code says is digested, compared and forgotten; no log has it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from agent import room as rooms
from agent.checkin import match_token, token_of
from agent.contract.instructions import instruction
from agent.contract.schedule import ScheduledSession, token_digest
from agent.screen import Outcome, Refusal, ScanView
from agent.unit import Unit

log = logging.getLogger(__name__)

OPEN_FOR_S = 120.0
"""The page's 90 s without a touch, and its 30 s of warning (DESIGN.md section 6)."""
UNWATCHED_FOR_S = 5.0
"""A page that is loaded anew is back by then; one that is gone leaves no camera open."""
AGAIN_AFTER_S = 3.0
"""A code that was away for so long and is held up again is another try."""
TOLD_MAX = 10
"""Refusals told in one opening: 128 bits are not guessed, so that a film of codes need not fill the log."""
_AS_QR: dict[Refusal, Refusal] = {"used_code": "used_qr", "old_code": "old_qr"}


class Camera(Protocol):
    """agent.scan_media.ScanMedia."""

    generation: int

    def open(self) -> None: ...
    def close(self) -> None: ...


@dataclass(slots=True)
class _Opening:
    """One time that the page was open. `last` is the digest of the code in front of the camera."""

    since_s: float
    view: ScanView = field(default_factory=ScanView)
    last: str = field(default="", repr=False)
    last_s: float = 0.0
    told: int = 0


class Scanning:
    """`check_in` lets a session's patient in, or says why not (agent/touches.py)."""

    def __init__(
        self, unit: Unit, camera: Camera, check_in: Callable[[ScheduledSession, str], Outcome]
    ) -> None:
        self._unit = unit
        self._camera = camera
        self._check_in = check_in
        self._opening: _Opening | None = None
        self._without_camera: _Opening | None = None
        self._unwatched_since: float | None = None

    @property
    def view(self) -> ScanView | None:
        """What the page shows; None while it is closed."""
        if self._opening is not None:
            return self._opening.view
        return None if self._without_camera is None else self._without_camera.view

    @property
    def generation(self) -> int:
        """Grows when the mirror is another."""
        return self._camera.generation

    def open(self) -> Refusal | None:
        """Open the camera, or say why not; open already, the time begins anew."""
        if self._unit.held() is not None:
            return "room_taken"
        if any(instruction(fault).probe == "camera" for fault in self._unit.room.faults):
            return "no_camera"
        self._without_camera = self._unwatched_since = None
        if self._opening is not None:
            self.stay()
            return None
        self._unit.room_event(rooms.ScanOpened())
        self._opening = _Opening(self._unit.clock.monotonic_s())
        self._camera.open()
        return None

    def stay(self) -> None:
        """Somebody is still there: the time begins anew."""
        if self._opening is not None:
            self._opening.since_s = self._unit.clock.monotonic_s()

    def close(self) -> None:
        """Close it, whoever wants that: the page, the time, a session."""
        self._without_camera = None
        opening, self._opening = self._opening, None
        if opening is not None:
            log.info("scan closed: %d codes refused", opening.view.seen)
            self._camera.close()
            self._unit.room_event(rooms.ScanClosed())

    def failed(self) -> None:
        """The camera cannot be had: the page says so, and the room looks what is wrong."""
        opening = self._opening
        if opening is not None:
            self.close()
            view = ScanView("no_camera", opening.view.seen + 1)
            self._without_camera = _Opening(self._unit.clock.monotonic_s(), view)
            self._unit.room_event(rooms.TestAsked("again"))
            self._unit.changed()

    def watched(self, screens: int) -> None:
        """So many pages listen to the feed."""
        self._unwatched_since = None if screens else self._unit.clock.monotonic_s()

    def tick(self) -> None:
        """Let a second pass."""
        opening = self._opening or self._without_camera
        now_s, unwatched = self._unit.clock.monotonic_s(), self._unwatched_since
        if opening is None:
            return
        if now_s - opening.since_s >= OPEN_FOR_S or (
            unwatched is not None and now_s - unwatched >= UNWATCHED_FOR_S
        ):
            self.close()

    def read(self, text: str) -> None:
        """A code is in front of the camera. It is told once, not with every picture that it is seen in."""
        opening, now_s = self._opening, self._unit.clock.monotonic_s()
        if opening is None:
            return
        digest = token_digest(text)
        is_same = digest == opening.last and now_s - opening.last_s < AGAIN_AFTER_S
        opening.last, opening.last_s = digest, now_s
        if is_same:
            return
        refusal = self._try(text)
        if refusal is None:
            return  # the session has taken the room, and closed us
        opening.view = ScanView(refusal, opening.view.seen + 1)
        if opening.told < TOLD_MAX:
            opening.told += 1
            self._unit.record("checkin_failed", None, {"how": "qr", "reason": refusal})
        self._unit.changed()

    def _try(self, text: str) -> Refusal | None:
        token = token_of(text)
        if token is None:
            return "foreign_qr"
        unit, digest = self._unit, token_digest(token)
        plans = [session.plan for session in unit.sessions.values()]
        plans += [plan for plan in unit.snapshot.sessions if plan.sid not in unit.sessions]
        plan = match_token(digest, plans)
        if plan is None:
            return unit.memory.qr_is_over(digest) or "wrong_qr"
        refusal = self._check_in(plan, "qr").refusal
        return None if refusal is None else _AS_QR.get(refusal, refusal)
