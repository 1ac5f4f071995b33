"""`halsorum session quality`: how a call went, from the figures that units and pages sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from provisioning.cli_context import command_of, told_to_person
from web.clinic.services import Refused

# As in cli_context: the command loads what it works with.
if TYPE_CHECKING:
    from web.clinic.course import Course

session = typer.Typer(no_args_is_help=True, help="One held session.")


@session.callback()
def held() -> None:
    """One held session."""


@session.command("quality")
def quality(context: typer.Context, sid: str) -> None:
    """A call's course: each direction summed up; with --json every report, as it is kept."""
    from sqlalchemy import select

    from provisioning.models import QualityRow
    from provisioning.quality_views import course

    command = command_of(context)
    with told_to_person(), command.database.read() as db:
        told = course(db, sid)
        if told is None:
            raise Refused("session", "has no quality figures: it is unknown, or they are deleted")
        if command.as_json:
            rows = db.scalars(select(QualityRow).where(QualityRow.sid == sid).order_by(QualityRow.at)).all()
            command.show([{"at": row.at, "source": row.source, **row.figures} for row in rows])
            return
    command.show(_summed_up(told), title=f"{told.line.ref}, {told.line.room}: {told.line.verdict}")


def _summed_up(told: Course) -> list[dict[str, Any]]:
    """One line for each figure, one column for each direction."""
    from web.clinic.course import summary

    table: dict[str, dict[str, Any]] = {}
    for number, direction in enumerate(told.directions):
        way = f"{direction.role} to room" if direction.to_room else f"room to {direction.role}"
        # Two a party: those after the first two belong to another one, perhaps of the same role.
        column = way if number < 2 else f"{way} {number // 2 + 1}"
        figures = summary(direction)
        for name, value in {
            "sent, kbit/s": figures.bit_rate and figures.bit_rate // 1000,
            "frames/s": _round(figures.frame_rate),
            "size": "x".join(map(str, figures.size or ())),
            "freezes": figures.freezes,
            "frozen, s": _round(figures.frozen_s),
            "away, s": _round(figures.away_s),
            "lost, %": _round(figures.lost, 100),
            "round trip, ms": _round(figures.round_trip_ms),
            "concealed sound, %": _round(figures.concealed, 100),
        }.items():
            table.setdefault(name, {"figure": name})[column] = value
    return list(table.values())


def _round(value: float | None, times: float = 1) -> float | None:
    return None if value is None else round(value * times, 1)
