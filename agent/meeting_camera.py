"""What the others may see of the room beyond the plain picture: another camera, a part of it, a still picture.

A page wishes, the unit does it and tells everybody; the patient is told, and asked before a still is taken. A
still goes to the page that asked for it and nowhere else, and no byte of it is kept. On the event loop.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from agent.faults import kind_and_place
from agent.media.device import DeviceError
from agent.media.jpeg import MIME, Still
from agent.media.zoom import CameraName, CameraView, Zoom
from agent.meeting import STILL_ASKED
from agent.meeting_messages import read_id, read_view
from agent.screen import Outcome, Touch
from agent.session_state import Party, Session, State
from agent.unit import Unit

log = logging.getLogger(__name__)

MAY_LOOK = frozenset({"clinician", "specialist"})
STILL_ASKED_S = STILL_ASKED.total_seconds()
Refused = Literal["patient", "busy", "camera", "not_allowed"]


class Media(Protocol):
    """What is asked of camera and connections (agent/call_control.py)."""

    camera: bool

    def look(self, camera: CameraName, zoom: Zoom | None) -> None: ...
    async def still(self) -> Still: ...
    async def send_blob(self, peer: str, header: Mapping[str, object], data: bytes) -> bool: ...
    def tell(self, message: Mapping[str, object], peer: str | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class _Asked:
    """A still that a page asked for under its own id, and the question that the patient sees."""

    id: str
    peer: str
    role: str
    sid: str
    question: str


class MeetingCamera:
    """Does what pages and the touchscreen ask of the camera."""

    def __init__(self, unit: Unit, media: Media) -> None:
        self._unit = unit
        self._media = media
        self._loop = asyncio.get_running_loop()
        self._view = CameraView()
        self._wisher: tuple[str, str] = ("", "")
        self._asked: _Asked | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.messages: dict[str, Callable[[Session, Party, Mapping[str, object]], None]] = {
            "view": self._wish,
            "still_request": self._request,
        }
        self.touches: dict[str, Callable[[Touch], Awaitable[Outcome]]] = {
            "camera_choice": self._choose,
            "consent": self._consent,
        }

    def viewed(self, view: CameraView) -> None:
        """The camera shows this now."""
        self._view = view
        if self._unit.held() is None:
            return
        peer, role = self._wisher
        self._unit.meeting.viewed(view.camera, view.zoom is not None, role, peer)
        self.tell()
        self._unit.changed()

    def opened(self) -> None:
        """Camera and microphone are open anew, and show the whole room."""
        self._wisher = ("", "")
        self._view = replace(self._view, camera="main", zoom=None)

    def tell(self, peer: str | None = None) -> None:
        """Say what is shown, to a page or to all."""
        view, zoom = self._view, self._view.zoom
        part = {"x": zoom.x, "y": zoom.y, "width": zoom.width, "height": zoom.height} if zoom else None
        message = {
            "type": "view",
            "camera": view.camera,
            "zoom": part,
            "hand": view.has_hand,
            "sensor": list(view.sensor),
            "by": self._wisher[0],
        }
        self._media.tell(message, peer)

    def _wish(self, session: Session, party: Party, message: Mapping[str, object]) -> None:
        wish = read_view(message)
        if wish is None or not _may_look(session, party):
            return
        # Another camera sees something else: what was cut out of the one means nothing in the other.
        zoom = wish.zoom if wish.camera == self._view.camera else None
        self._look(wish.camera, zoom, (party.peer, party.role))

    def _look(self, camera: CameraName, zoom: Zoom | None, wisher: tuple[str, str]) -> None:
        if camera == "hand" and not self._view.has_hand:
            return
        self._wisher = wisher
        self._media.look(camera, zoom)

    async def _choose(self, touch: Touch) -> Outcome:
        if self._unit.held() is None:
            return Outcome("not_now")
        match touch.text:
            case "main" | "hand" as camera if camera == "main" or self._view.has_hand:
                self._look(camera, None, ("", ""))
                return Outcome()
            case _:
                return Outcome("bad_request")

    def _request(self, session: Session, party: Party, message: Mapping[str, object]) -> None:
        identifier = read_id(message)
        if not _may_look(session, party):
            self._refuse(party.peer, identifier, "not_allowed")
        elif self._asked is not None and (self._asked.peer, self._asked.id) == (party.peer, identifier):
            self._tell_pending(self._asked)  # asked again, since no answer came through
        elif self._asked is not None:
            self._refuse(party.peer, identifier, "busy")
        elif not self._media.camera:
            self._refuse(party.peer, identifier, "camera")
        else:
            question = self._unit.meeting.ask_for_still(party.role, self._unit.clock.now())
            self._asked = _Asked(identifier, party.peer, party.role, session.plan.sid, question.id)
            self._timer = self._loop.call_later(STILL_ASKED_S, self._answered, question.id, None)
            self._tell_pending(self._asked)

    def _tell_pending(self, asked: _Asked) -> None:
        pending = {"type": "still_pending", "id": asked.id, "until_s": STILL_ASKED_S}
        self._media.tell(pending, asked.peer)

    async def _consent(self, touch: Touch) -> Outcome:
        question = self._unit.meeting.question
        if question is None or touch.text != question.id:
            return Outcome("not_now")
        if touch.on is None:
            return Outcome("bad_request")
        self._answered(question.id, touch.on)
        return Outcome()

    def _answered(self, question: str, yes: bool | None) -> None:
        """The patient said yes or no, or nothing in time, which they were told means yes."""
        asked = self._asked
        if asked is None or asked.question != question or self._timer is None:
            return
        self._timer.cancel()
        self._timer = None
        standing = self._unit.meeting.question
        if standing is not None and standing.id == question:
            self._unit.meeting.question = None
        if yes is False:
            self._give_up(asked, "patient")
        elif self._is_on(asked):
            self._start(self._take(asked))
        else:
            self._give_up(asked, "not_allowed")
        self._unit.changed()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take(self, asked: _Asked) -> None:
        try:
            picture = await self._media.still()
        except Exception as error:
            # Whatever it was, the next who asks must not be told for ever that another still is being taken.
            reason = str(error) if isinstance(error, DeviceError) else kind_and_place(error)
            log.warning("no still picture: %s", reason)
            self._give_up(asked, "camera")
            return
        if not self._is_on(asked):
            self._asked = None
            return
        self._unit.record("still_taken", asked.sid, {"role": asked.role})
        self._unit.meeting.announce("still_taken", asked.role, asked.peer)
        self._unit.changed()
        header = {
            "type": "still",
            "id": asked.id,
            "mime": MIME,
            "width": picture.width,
            "height": picture.height,
            "bytes": len(picture.data),
            "sha256": hashlib.sha256(picture.data).hexdigest(),
        }
        try:
            if not await self._media.send_blob(asked.peer, header, picture.data):
                self._refuse(asked.peer, asked.id, "busy")
        finally:
            self._asked = None

    def _give_up(self, asked: _Asked, reason: Refused) -> None:
        self._asked = None
        if self._is_on(asked):
            self._unit.record("still_refused", asked.sid, {"role": asked.role, "reason": reason})
            self._unit.meeting.announce("still_refused", asked.role, asked.peer)
        self._refuse(asked.peer, asked.id, reason)

    def _refuse(self, peer: str, identifier: str, reason: Refused) -> None:
        self._media.tell({"type": "still_refused", "id": identifier, "reason": reason}, peer)

    def _is_on(self, asked: _Asked) -> bool:
        """Whether the page that asked is still in that meeting, and may see."""
        session = self._unit.held()
        party = session.party(asked.peer) if session is not None and session.plan.sid == asked.sid else None
        return session is not None and party is not None and _may_look(session, party)


def _may_look(session: Session, party: Party) -> bool:
    allowed = party.is_person and party.sees and (party.chair or party.role in MAY_LOOK)
    in_call = session.state in {State.ADMITTED, State.IN_CALL} and session.confirmed
    return allowed and in_call and not session.on_hold
