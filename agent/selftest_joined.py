"""The self-test joined to a running agent: in which order the room is tried, and what becomes of what it found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from agent.heap import give_back
from agent.media.capture import CaptureSettings
from agent.probes.camera import CameraProbe
from agent.probes.encoder import EncoderProbe
from agent.probes.sound import SoundParts, SoundProbe
from agent.room import TestDone
from agent.screen import Figure
from agent.selftest import Probe, SelfTest
from agent.selftest_kept import keep
from agent.unit import Unit
from agent.usual_view import UsualView


def stages(
    unit: Unit,
    line: Probe,
    others: Sequence[Probe],
    *,
    capture: Callable[[], CaptureSettings],
    sound: Callable[[], SoundParts],
    on_form: Callable[[str], None],
) -> list[list[Probe]]:
    """Whether somebody moves is known before sound is played, and the encoder has the processor for itself.

    others: all that neither needs these devices nor much of the processor, nor fills the line.
    """
    usual = UsualView(unit.store)
    heard = SoundProbe(sound, unit.store)
    unit.camera_is_right, unit.sound_is_right = usual.forget, heard.forget
    return [
        [*others, CameraProbe(capture, usual, on_form)],
        [heard, line],
        [EncoderProbe(capture)],
    ]


def tells(unit: Unit, run_folder: Path) -> Callable[[SelfTest], None]:
    """For SelfTester.on_done: the region, the staff's page, whoever stands at the unit, and the room are told."""

    def tell(result: SelfTest) -> None:
        unit.record("selftest", None, result.fields)
        unit.verdicts = result.verdicts
        unit.figures = tuple(Figure(v.probe, v.ok, round(v.figure, 2), v.unit) for v in result.verdicts)
        keep(run_folder, result, datetime.now(UTC))
        give_back()
        unit.room_event(TestDone(result.faults, result.warnings))

    return tell
