"""Camera and microphone that fail, or are unplugged, while in use or when they are to be opened.

Told once, and taken back when they are back. What has not come back when a session lets go of it is the room's
fault from then on, until a self-test finds it well: the next patient is not to find it out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from agent import session_events as ev
from agent.media.capture import CaptureStats
from agent.room import FaultFound
from agent.unit import Unit

Tell = Callable[[Mapping[str, str]], None]
DEVICES = ("camera", "microphone")


class DeviceFaults:
    """Looks at the open devices once a second; tell() gets the faults by device whenever there are others, and
    left() those that are still there when the devices are closed."""

    def __init__(
        self, tell: Tell = lambda _faults: None, left: Callable[[Iterable[str]], None] = lambda _faults: None
    ) -> None:
        self._tell = tell
        self._left = left
        self._faults: dict[str, str] = {}

    def look(self, stats: CaptureStats | None) -> None:
        """What the open devices say of themselves; None while they are closed."""
        found = {} if stats is None else {"camera": stats.camera_fault, "microphone": stats.microphone_fault}
        faults = {name: fault for name, fault in found.items() if fault is not None}
        if faults.keys() != self._faults.keys():
            before, self._faults = self._faults, faults
            self._tell(faults)
            if stats is None:
                self._left(before)


def note_device_faults(unit: Unit) -> Tell:
    """Says on the staff's page and to the region what is missing, and to the session that it goes on without."""

    def tell(faults: Mapping[str, str]) -> None:
        session = unit.held()
        for name in DEVICES:
            is_new = name in faults and name not in unit.notes
            unit.note(name, (name,) if name in faults else ())
            if is_new and session is not None:
                unit.session_event(session.plan.sid, ev.MediaFailed(name))

    return tell


def take_as_room_faults(unit: Unit) -> Callable[[Iterable[str]], None]:
    """The room tests itself anew before somebody else is let in."""

    def take(devices: Iterable[str]) -> None:
        for name in devices:
            unit.room_event(FaultFound(name))

    return take
