"""Draws how sessions began as SVG: one bar a unit, parts by cause. Pure; the table beside it says the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup

from web.clinic.readiness_figures import CAUSES, UnitMonth

WIDTH, LEFT, RIGHT = 960, 190, 60
BAR, GAP = 26, 12
LEGEND = 34
IN_TIME = "in_time"


def bars(months: Sequence[UnitMonth], words: Callable[[str], str]) -> Markup:
    """All units below one another, to one scale. words: of `title`, `in_time` and each cause."""
    held = [each for each in months if each.held]
    most = max((each.held for each in held), default=0)
    height = LEGEND + len(held) * (BAR + GAP)
    head = Markup('<svg class="bars" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
        WIDTH, height, words("title")
    )
    rows = [_row(each, LEGEND + number * (BAR + GAP), most) for number, each in enumerate(held)]
    return head + _legend(words) + Markup("").join(rows) + Markup("</svg>")


def _legend(words: Callable[[str], str]) -> Markup:
    parts, x = [], 0
    for look in (IN_TIME, *CAUSES):
        text = words(look)
        parts.append(
            Markup(
                '<rect class="{}" x="{}" y="6" width="14" height="14"/><text x="{}" y="18">{}</text>'
            ).format(look, x, x + 20, text)
        )
        x += 44 + 9 * len(text)
    return Markup("").join(parts)


def _row(month: UnitMonth, y: int, most: int) -> Markup:
    name = Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(LEFT - 10, y + 18, month.unit)
    parts, x = [name], float(LEFT)
    for look, count in ((IN_TIME, month.in_time), *((cause, month.causes.get(cause, 0)) for cause in CAUSES)):
        if count:
            width = count / most * (WIDTH - LEFT - RIGHT)
            parts.append(
                Markup('<rect class="{}" x="{:.1f}" y="{}" width="{:.1f}" height="{}"/>').format(
                    look, x, y, width, BAR
                )
            )
            x += width
    parts.append(Markup('<text x="{:.1f}" y="{}">{}</text>').format(x + 8, y + 18, month.percent))
    return Markup("").join(parts)
