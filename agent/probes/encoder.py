"""The encoder a call would begin with: its pictures decode, and it is faster than real time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from agent.media.capture import CaptureSettings
from agent.media.encoder_chain import Opener
from agent.media.encoder_probe import ProbeResult, Stopped, probe_encoders
from agent.media.pulse import pulse
from agent.media.video_codec import open_encoder
from agent.selftest import Context
from agent.verdict import Verdict, found, well

ENCODER_HANGS_S = 60.0
"""A slow machine may need many seconds; a driver that hangs would keep the room in its test for ever."""
SLOW_BELOW = 1.2
"""Times real time. A call does more than encode: below this pictures are left out, though each one works."""


class EncoderProbe:
    """A Probe."""

    name = "encoder"

    def __init__(self, settings: Callable[[], CaptureSettings], opener: Opener = open_encoder) -> None:
        self._settings, self._opener = settings, opener

    async def run(self, context: Context) -> list[Verdict] | None:
        """The first encoder of the order that works; None when the test was stopped before."""
        verdict = await asyncio.to_thread(self._tried_unless, context.stopped.is_set)
        return None if verdict is None else [verdict]

    def _tried_unless(self, is_stopped: Callable[[], bool]) -> Verdict | None:
        try:
            return self._tried(is_stopped)
        except Stopped:  # ends here: a call is about to begin, and it holds the pictures
            return None

    def _tried(self, is_stopped: Callable[[], bool]) -> Verdict:
        settings = self._settings()
        camera = settings.camera
        results: list[ProbeResult] = []
        for name in settings.encoders:
            with pulse("encoder's probe", within_s=ENCODER_HANGS_S):
                results += probe_encoders(
                    [name],
                    camera.width,
                    camera.height,
                    camera.frame_rate,
                    self._opener,
                    is_stopped=is_stopped,
                )
            if results[-1].ok:
                break
        return judged(results)


def judged(results: Sequence[ProbeResult]) -> Verdict:
    """results: in the board's order, up to the first that works. One whose only fault is its pace still sends."""
    chosen = next((each for each in results if each.ok), None)
    chosen = chosen or max((each for each in results if each.is_slow), key=_speed, default=None)
    refusals = "; ".join(f"{each.name}: {each.reason}" for each in results if not each.ok)
    if chosen is None:
        return found("encoder", 0.0, "x real time", reason=f"no encoder works: {refusals}")
    unit = f"x real time ({chosen.name})"
    if chosen.speed_ratio < SLOW_BELOW:
        reason = f"{chosen.name} encodes at {chosen.speed_ratio:.2f} times real time"
        return found("encoder_slow", chosen.speed_ratio, unit, reason=reason)
    return well("encoder", chosen.speed_ratio, unit)


def _speed(result: ProbeResult) -> float:
    return result.speed_ratio
