"""Draws a course as SVG: panels under one another over one time axis. Pure; no script, no style of its own.

Looks are classes of course.css. All words come in, and are escaped; all numbers are ours.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from markupsafe import Markup, escape

from web.clinic.course import Gap

WIDTH, LEFT, RIGHT = 960, 58, 12
PANEL, TITLE, AXIS, TOP = 62, 34, 26, 0
LEGEND_AT = (430, 690)
MOST_POINTS = 440
"""One for each two units of width; a longer call's neighbours are drawn as one."""
STEPS_S = (5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
MOST_TICKS = 9
LEAST_MARK = 3.0

Clock = Callable[[datetime], datetime]
Values = Sequence[tuple[datetime, float | None]]


@dataclass(frozen=True, slots=True)
class Line:
    """One measured value over time. `worst` joins neighbours where there are too many."""

    label: str
    values: Values
    look: Literal["first", "second"] = "first"
    worst: Callable[[Iterable[float]], float] = max


@dataclass(frozen=True, slots=True)
class Panel:
    """Lines of one unit; `least_top` keeps a calm line calm. `marks` are times that stand out."""

    title: str
    lines: tuple[Line, ...]
    least_top: float
    marks: tuple[Gap, ...] = ()
    mark_label: str = ""


@dataclass(frozen=True, slots=True)
class Plot:
    """`name` makes the drawing's ids its own on a page; `words` say in text what is drawn."""

    name: str
    title: str
    words: str
    began: datetime
    ended: datetime
    panels: tuple[Panel, ...]
    gaps: tuple[Gap, ...]
    gap_label: str


def draw(plot: Plot, clock: Clock) -> Markup:
    """The SVG element; `clock` turns an instant into the reader's local time."""
    height = TOP + len(plot.panels) * (TITLE + PANEL) + AXIS
    scale = _Scale(plot.began, plot.ended)
    bottom = height - AXIS
    parts = [
        Markup('<svg class="plot" viewBox="0 0 {} {}" role="img" aria-labelledby="{}-t {}-d">').format(
            WIDTH, height, plot.name, plot.name
        ),
        Markup('<title id="{}-t">{}</title><desc id="{}-d">{}</desc>').format(
            plot.name, plot.title, plot.name, plot.words
        ),
        Markup(
            '<defs><pattern id="{}-gap" width="8" height="8" patternUnits="userSpaceOnUse" '
            'patternTransform="rotate(45)"><line class="hatch" x1="0" y1="0" x2="0" y2="8"/></pattern></defs>'
        ).format(plot.name),
    ]
    for number, panel in enumerate(plot.panels):
        parts.append(_panel(panel, TOP + number * (TITLE + PANEL), scale, plot))
    parts.append(_time_axis(scale, clock, bottom))
    parts.append(Markup("</svg>"))
    return Markup("").join(parts)


class _Scale:
    """Times to x."""

    def __init__(self, began: datetime, ended: datetime) -> None:
        self.began = began
        self.seconds = max(1.0, (ended - began).total_seconds())

    def x(self, at: datetime) -> float:
        share = (at - self.began).total_seconds() / self.seconds
        return LEFT + min(1.0, max(0.0, share)) * (WIDTH - LEFT - RIGHT)


def _panel(panel: Panel, top: float, scale: _Scale, plot: Plot) -> Markup:
    highest = max((v for line in panel.lines for _, v in line.values if v is not None), default=0.0)
    ceiling = nice_top(max(highest, panel.least_top))
    base = top + TITLE + PANEL

    def y(value: float) -> float:
        return base - value / ceiling * PANEL

    parts = [Markup('<text class="name" x="{}" y="{}">{}</text>').format(LEFT, top + 24, panel.title)]
    parts += _legend(panel, top + 24, plot)
    for value in (0.0, ceiling / 2, ceiling):
        parts.append(
            Markup('<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(
                LEFT, WIDTH - RIGHT, y(value), y(value)
            )
        )
        parts.append(
            Markup('<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{:g}</text>').format(
                LEFT - 8, y(value) + 4, value
            )
        )
    parts += [_gap(gap, base, scale, plot) for gap in plot.gaps]
    parts += [_mark(mark, base, scale) for mark in panel.marks]
    for line in panel.lines:
        parts += _line(line, scale, y, plot.gaps)
    return Markup("").join(parts)


def _legend(panel: Panel, y: float, plot: Plot) -> list[Markup]:
    labels: list[tuple[str, str]] = [(line.label, line.look) for line in panel.lines if line.label]
    if panel.mark_label:
        labels += [(panel.mark_label, "mark")] if panel.marks else []
        labels += [(plot.gap_label, "gap")] if plot.gaps else []
    drawn = []
    for x, (label, look) in zip(LEGEND_AT, labels, strict=False):
        if look in {"mark", "gap"}:
            fill = Markup(' fill="url(#{}-gap)"').format(plot.name) if look == "gap" else ""
            place = Markup('x="{}" y="{}" width="26" height="12"').format(x - 34, y - 11)
            sample = Markup('<rect class="{}" {}{}/>').format(look, place, fill)
        else:
            sample = Markup('<path class="{}" d="M{} {}h26"/>').format(look, x - 34, y - 4)
        drawn.append(sample + Markup('<text class="tick" x="{}" y="{}">{}</text>').format(x, y, label))
    return drawn


def _gap(gap: Gap, base: float, scale: _Scale, plot: Plot) -> Markup:
    x1, x2 = scale.x(gap.begin), scale.x(gap.end)
    return Markup(
        '<rect class="gap" x="{:.1f}" y="{}" width="{:.1f}" height="{}" fill="url(#{}-gap)">'
        "<title>{}</title></rect>"
    ).format(x1, base - PANEL, max(LEAST_MARK, x2 - x1), PANEL, plot.name, plot.gap_label)


def _mark(mark: Gap, base: float, scale: _Scale) -> Markup:
    x1, x2 = scale.x(mark.begin), scale.x(mark.end)
    return Markup('<rect class="mark" x="{:.1f}" y="{}" width="{:.1f}" height="{}"/>').format(
        x1, base - PANEL, max(LEAST_MARK, x2 - x1), PANEL
    )


def _line(line: Line, scale: _Scale, y: Callable[[float], float], gaps: Sequence[Gap]) -> list[Markup]:
    drawn = []
    for run in _runs(thinned(line.values, line.worst), gaps):
        points = [f"{scale.x(at):.1f} {y(value):.1f}" for at, value in run]
        # A single point is drawn as a dot: a path of no length with round ends.
        path = "M" + "L".join(points if len(points) > 1 else points * 2)
        drawn.append(Markup('<path class="line {}" d="{}"/>').format(line.look, path))
    return drawn


def _runs(values: Values, gaps: Sequence[Gap]) -> list[list[tuple[datetime, float]]]:
    """Values that belong together: nothing is drawn over what nobody measured."""
    runs: list[list[tuple[datetime, float]]] = [[]]
    for at, value in values:
        broken = bool(runs[-1]) and any(gap.begin < at and gap.end > runs[-1][-1][0] for gap in gaps)
        if value is None or broken:
            runs.append([])
        if value is not None:
            runs[-1].append((at, value))
    return [run for run in runs if run]


def thinned(values: Values, worst: Callable[[Iterable[float]], float]) -> Values:
    """At most MOST_POINTS values, each the worst of its neighbours."""
    size = math.ceil(len(values) / MOST_POINTS)
    if size <= 1:
        return values
    groups = [values[i : i + size] for i in range(0, len(values), size)]
    return [
        (group[-1][0], worst(known) if (known := [v for _, v in group if v is not None]) else None)
        for group in groups
    ]


def nice_top(value: float) -> float:
    """The next of 1, 2, 3, 4, 5 or 10 times a power of ten; a little above it is drawn a little above it."""
    power = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return next(step * power for step in (1, 2, 3, 4, 5, 10) if step * power >= value * 0.97)


def _time_axis(scale: _Scale, clock: Clock, y: float) -> Markup:
    step_s = next((s for s in STEPS_S if scale.seconds / s <= MOST_TICKS), STEPS_S[-1])
    form = "%H:%M" if step_s >= 60 else "%H:%M:%S"
    first = math.ceil(scale.began.timestamp() / step_s) * step_s
    parts = []
    for number in range(MOST_TICKS + 1):
        at = datetime.fromtimestamp(first, UTC) + timedelta(seconds=number * step_s)
        if (at - scale.began).total_seconds() > scale.seconds:
            break
        x = scale.x(at)
        parts.append(
            Markup('<line class="grid" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>').format(x, y, y + 5)
        )
        parts.append(
            Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
                min(x, WIDTH - 24), y + 19, escape(clock(at).strftime(form))
            )
        )
    return Markup("").join(parts)
