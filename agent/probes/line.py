"""Whether the line carries a call: loss and rate, measured for three seconds through the TURN server."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable

from agent.media.ice_servers import Server
from agent.media.ladder import STEPS, UPGRADE_MARGIN
from agent.media.line_figures import LineFigures
from agent.media.line_measure import THIN, measure_what_can_be
from agent.media.turn_endpoint import Opening
from agent.probes.give_way import unless_stopped
from agent.probes.path import Path
from agent.probes.turn import TurnProbe
from agent.selftest import Context
from agent.verdict import Verdict, found, well

log = logging.getLogger(__name__)

LOSS_SHARE_MAX = 0.03
"""There and back together. Up to here repeats and Opus's own repair hide what is lost (`make bench-net`, 2 %)."""
SOUND_BIT_RATE = 64_000
NARROW_BIT_RATE = STEPS[0].least_bit_rate * UPGRADE_MARGIN + SOUND_BIT_RATE
"""The largest picture of the ladder, with the room that it wants before it is chosen, and sound: 1.02 Mbit/s, each
way. Below it the people on the screen are shown smaller than the screen."""
AGAIN_AFTER_S, AGAIN_AFTER_MAX_S = 300.0, 3600.0
"""A line that was found wrong is measured again after this long, and each time after twice as long: a megabyte
every five minutes would be dear to those who pay for it."""

Measure = Callable[[Server | None, Server | None, Opening], Awaitable[LineFigures | None]]


class LineProbe:
    """A Probe; runs after those of the path, through the server that they have found."""

    name = "line"

    def __init__(
        self,
        path: Path,
        turn: TurnProbe,
        opening: Callable[[], Opening],
        measure: Measure = measure_what_can_be,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path, self._turn, self._opening = path, turn, opening
        self._measure, self._monotonic_s = measure, monotonic_s
        self._former: tuple[Verdict, ...] = ()
        self._tried: Context | None = None
        self._again_at_s, self._pause_s = 0.0, AGAIN_AFTER_S

    async def run(self, context: Context) -> list[Verdict] | None:
        """Nothing while there is no way to the region; None when it is not the moment."""
        if not self._path.is_open or not self._turn.known:
            self._former = ()
            return []
        if not self._is_moment(context):
            return None
        figures = await unless_stopped(context, self._measured())
        if context.stopped.is_set():
            return None
        verdicts = judge(figures)
        self._note(context, verdicts)
        return verdicts

    async def _measured(self) -> LineFigures | None:
        figures = await self._measure(self._turn.relaying, self._turn.asked, self._opening())
        log.info("self-test: the line: %s", in_words(figures) if figures else "no server to measure it by")
        return figures

    def _is_moment(self, context: Context) -> bool:
        if context.occasion != "again" or context is self._tried or not self._former:
            return True
        return not all(verdict.ok for verdict in self._former) and self._monotonic_s() >= self._again_at_s

    def _note(self, context: Context, verdicts: list[Verdict]) -> None:
        if all(verdict.ok for verdict in verdicts):
            self._pause_s = AGAIN_AFTER_S
        elif context is not self._tried:
            self._again_at_s = self._monotonic_s() + self._pause_s
            self._pause_s = min(self._pause_s * 2, AGAIN_AFTER_MAX_S)
        self._tried, self._former = context, tuple(verdicts)


def judge(figures: LineFigures | None) -> list[Verdict]:
    """What is wrong with the line, else its figures; nothing is said where there was nothing to measure it by."""
    if figures is None:
        return []
    verdicts = []
    rate, loss = figures.bit_rate, figures.loss_share
    is_narrow = rate is not None and figures.is_full and rate < NARROW_BIT_RATE
    if rate is not None and is_narrow:
        reason = f"carries {rate / 1e6:.2f} Mbit/s, a good picture needs {NARROW_BIT_RATE / 1e6:.2f}"
        verdicts.append(found("line_narrow", rate / 1e6, "Mbit/s", reason=reason))
    # Where even the thin train is too much for the line, its loss is the narrowness again.
    is_very_narrow = rate is not None and is_narrow and rate < THIN.bit_rate * 2
    if loss is not None and loss > LOSS_SHARE_MAX and not is_very_narrow:
        verdicts.append(found("line_loss", loss * 100, "% lost", reason=in_words(figures)))
    return verdicts or _well(figures)


def _well(figures: LineFigures) -> list[Verdict]:
    said = []
    if figures.bit_rate is not None:
        said.append(well("line", figures.bit_rate / 1e6, "Mbit/s"))
    if figures.loss_share is not None:
        said.append(well("line_loss", figures.loss_share * 100, "% lost"))
    return [*said, well("line_delay", figures.round_trip_ms, "ms")]


def in_words(figures: LineFigures) -> str:
    """For IT."""
    rate, loss = figures.bit_rate, figures.loss_share
    said = [] if rate is None else [f"{'carries' if figures.is_full else 'carried'} {rate / 1e6:.2f} Mbit/s"]
    said += [] if loss is None else [f"{loss * 100:.1f} % lost"]
    said += [f"{figures.round_trip_ms:.0f} ms there and back", f"{figures.jitter_ms:.1f} ms jitter"]
    return ", ".join(said)
