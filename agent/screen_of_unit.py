"""All of a unit that its screen depends on, for agent/screen_view.py."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from agent.screen_view import View
from agent.session import OVER, Session

if TYPE_CHECKING:
    from agent.unit import Unit


def view_of(unit: Unit, ended: tuple[Session, datetime] | None) -> View:
    """As it is now. ended: the session whose end is shown, and when that was."""
    ordered = sorted(unit.sessions.values(), key=lambda session: session.plan.start)
    return View(
        now=unit.clock.now(),
        room=unit.room,
        configuration=unit.configuration,
        sessions=tuple(session for session in ordered if session.state not in OVER),
        region_up=unit.region.up,
        code_lock=unit.locks.code,
        pin_lock=unit.locks.pins.lock,
        desk=unit.desk,
        figures=unit.figures,
        notes=tuple(unit.notes),
        ended=ended[0] if ended else None,
        ended_at=ended[1] if ended else None,
        help_state=unit.help.state,
        microphone=unit.media.microphone,
        camera=unit.media.camera,
        media_failed=unit.media.failed,
        language=unit.language,
        media_generation=max(unit.media.generation, unit.scan.generation if unit.scan else 0),
        scan=unit.scan.view if unit.scan else None,
        outputs=unit.sound.outputs if unit.sound else ("loudspeaker",),
        output=unit.sound.chosen if unit.sound else "loudspeaker",
        meeting=unit.meeting.view(),
        speech=unit.speech,
        message=unit.idle.text(unit.clock.now()),
        locating=unit.idle.locating,
        enrol=unit.enrol,
        present=unit.present(),
        asked_page=unit.asked_page,
    )
