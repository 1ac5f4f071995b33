"""Camera and microphone that fail or are unplugged while in use: told once, and taken back when they are back."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from agent import session_events as ev
from agent.media.capture import CaptureStats
from agent.unit import Unit

Tell = Callable[[Mapping[str, str]], None]
DEVICES = ("camera", "microphone")


class DeviceFaults:
    """Looks at the open devices once a second; tell() gets the faults by device whenever there are others."""

    def __init__(self, tell: Tell = lambda _faults: None) -> None:
        self._tell = tell
        self._faults: dict[str, str] = {}

    def look(self, stats: CaptureStats | None) -> None:
        """What the open devices say of themselves; None while they are closed."""
        found = {} if stats is None else {"camera": stats.camera_fault, "microphone": stats.microphone_fault}
        faults = {name: fault for name, fault in found.items() if fault is not None}
        if faults.keys() != self._faults.keys():
            self._faults = faults
            self._tell(faults)


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
