"""The room's camera in the self-test: there, moving, uncovered, light, sharp and turned where it usually is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agent.media.camera_probe import watch
from agent.media.capture import CaptureSettings
from agent.media.device import DeviceError
from agent.probes.camera_verdict import MOVED_SHARE, judge
from agent.selftest import Context
from agent.usual_view import UsualView
from agent.verdict import Verdict, found


class CameraProbe:
    """A Probe. on_form: told in which form a real camera's pictures are taken."""

    name = "camera"

    def __init__(
        self,
        settings: Callable[[], CaptureSettings],
        usual: UsualView,
        on_form: Callable[[str], None] = lambda _form: None,
    ) -> None:
        self._settings, self._usual, self._on_form = settings, usual, on_form

    async def run(self, context: Context) -> list[Verdict] | None:
        """One verdict: the one thing that is wrong."""
        settings = self._settings().camera
        try:
            seen = await asyncio.to_thread(watch, settings, context.stopped.is_set)
        except DeviceError as error:
            return [found("camera", 0.0, "frames/s", reason=str(error))]
        if seen is None:
            return None
        self._on_form(seen.form)
        context.moved = seen.moved > MOVED_SHARE
        at_night = context.occasion == "daily"
        verdict = judge(seen, settings.frame_rate, self._usual.numbers, at_night=at_night)
        if verdict.ok and not context.moved and not at_night:
            self._usual.learn(seen.view)
        return [verdict]
