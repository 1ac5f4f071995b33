"""The self-test of a unit whose agent does not run, for `halsorum selftest`: without the region."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from agent.board_media import capture_settings
from agent.clock_state import is_synchronised
from agent.config import SYS, Settings
from agent.identity_way import WayIn, identity_way, with_identity_files
from agent.probes.camera import CameraProbe
from agent.probes.encoder import EncoderProbe
from agent.probes.machine import Machine, MachineProbe, judged_certificate, judged_disk
from agent.probes.sound import SoundProbe, sound_parts
from agent.room_panel import RoomPanel
from agent.selftest import Context, Probe, SelfTest, SelfTester
from agent.storage import storage_now
from agent.store import Store
from agent.usual_view import UsualView
from agent.verdict import Verdict, found, well
from firmware.board import Board
from firmware.found import touch_devices
from firmware.panel import PanelEvents


class _Alone:
    """A Probe of what the agent knows while it runs, read from its files instead."""

    name = "files"

    def __init__(self, board: Board, settings: Settings | None) -> None:
        self._board, self._settings = board, settings

    async def run(self, context: Context) -> list[Verdict]:
        settings = self._settings
        verdicts: list[Verdict | None] = []
        if settings is not None:
            verdicts.append(judged_disk(storage_now(settings.state_dir), is_noted=False))
            verdicts.append(_certificate(settings))
        if self._board.screen.touch:
            there = touch_devices(SYS if settings is None else settings.sys_dir)
            missing = found("screen_touch", reason="no input device feels a touch on the screen")
            verdicts.append(well("touch", len(there), "devices") if there else missing)
        return [verdict for verdict in verdicts if verdict is not None]


def _certificate(settings: Settings) -> Verdict | None:
    """By this machine's own clock, if a time server has set it."""
    try:
        identity = identity_way(with_identity_files(settings))
    except (OSError, ValueError) as error:
        return found("certificate", reason=f"it cannot be read: {type(error).__name__}")
    if isinstance(identity, WayIn) or not is_synchronised():
        return None
    return judged_certificate(Machine(identity.not_before, identity.not_after), datetime.now(UTC))


async def selftest_alone(board: Board, settings: Settings | None) -> tuple[Verdict, ...]:
    """Camera (behind its lamp), sound, encoder and machine, from closed and closed again."""
    panel = RoomPanel(board.pins, PanelEvents())
    try:
        capture = capture_settings(board, settings, panel)
        machine = Machine(datetime.min, datetime.max, sys=SYS if settings is None else settings.sys_dir)
        stages: Sequence[Sequence[Probe]] = [
            [
                MachineProbe(lambda: machine),
                _Alone(board, settings),
                CameraProbe(lambda: capture, UsualView(Store(None))),
            ],
            [SoundProbe(lambda: sound_parts(board, capture.microphone))],
            [EncoderProbe(lambda: capture)],
        ]
        done: list[SelfTest] = []
        tester = SelfTester(stages, done.append, lambda: panel.present)
        tester.start("command")
        await tester.over()
        return done[0].verdicts
    finally:
        panel.close()
