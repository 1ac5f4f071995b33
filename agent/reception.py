"""What goes on between room and region for staff: an overrun is told, the place in a queue kept. Event loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from agent.contract.events import Intent, Notice
from agent.notices import Notices
from agent.overrun import waits_for_room
from agent.staff import Place, still_waits
from agent.unit import Unit

TELL_AGAIN = timedelta(seconds=10)
"""A region that was away has not heard of an overrun: it is told until it has said that staff know."""
HANDING_KNOWN = timedelta(minutes=5)
"""How long a session that vanishes from the schedule is taken for the one that was handed over."""


class Reception:
    """One per unit; `tick` once a second. `intend` asks the region for something."""

    def __init__(self, unit: Unit, notices: Notices, intend: Callable[[str, Intent], bool]) -> None:
        self._unit = unit
        self._intend = intend
        self._recorded: str | None = None
        self._told_at: datetime | None = None
        notices.on("queue", self._queue)
        notices.on("overrun", self._overrun_known)

    def tick(self) -> None:
        """Tell of an overrun; leave the queue when someone else has the room, or nobody can be waiting still."""
        self._tell_overrun()
        unit, now = self._unit, self._unit.clock.now()
        place, handing = unit.desk.place, unit.desk.handing
        if place is not None and (unit.held() is not None or not still_waits(place, now)):
            self._intend("dropin_cancel", Intent(queue=place.queue))
            unit.wait_in_queue(None)
        if handing is not None and not handing.at <= now < handing.at + HANDING_KNOWN:
            unit.desk = replace(unit.desk, handing=None)

    def _tell_overrun(self) -> None:
        unit, now = self._unit, self._unit.clock.now()
        late = waits_for_room(unit.sessions.values(), now, timedelta(0))
        sid = late.plan.sid if late is not None else None
        if sid is None:
            self._recorded = self._told_at = None
            return
        if sid != self._recorded:
            self._recorded, self._told_at = sid, None
            unit.record("overrun", sid)
        if unit.desk.overrun_known == sid:
            return
        if self._told_at is None or not self._told_at <= now < self._told_at + TELL_AGAIN:
            self._told_at = now
            self._intend("overrun", Intent(sid=sid))

    def _overrun_known(self, notice: Notice) -> None:
        self._unit.desk = replace(self._unit.desk, overrun_known=notice.sid)
        self._unit.changed()

    def _queue(self, notice: Notice) -> None:
        """The region's word on our place; none means that it knows of no waiting here."""
        unit, known = self._unit, self._unit.desk.place
        if notice.queue is None or notice.place is None:
            unit.wait_in_queue(None)
        elif known is None or known.queue != notice.queue:
            unit.wait_in_queue(Place(notice.queue, unit.clock.now(), notice.place))
        else:
            unit.wait_in_queue(replace(known, place=notice.place))
        unit.changed()
