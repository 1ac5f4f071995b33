"""A course in words, figures, tables and drawings, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Literal

from markupsafe import Markup

from agent.contract.quality import Machine
from web.clinic.course import Course, Direction, Gap, Reading, Summary, summary
from web.clinic.plot import Line, Panel, Plot, draw
from web.clinic.texts import Texts

Local = Callable[[datetime], datetime]
NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Shown:
    """One part of the page: its drawing, the same in short, and the same as a table by the minute."""

    name: str
    heading: str
    facts: list[tuple[str, str]]
    drawing: Markup
    table: list[list[str]]


def number(value: float | None, t: Texts, digits: int = 0, unit: str = "") -> str:
    """As the language writes it; a dash for what nobody measured."""
    if value is None:
        return NOTHING
    text = f"{value:,.{digits}f}"
    if t.language == "sv":
        text = text.replace(",", "\N{NO-BREAK SPACE}").replace(".", ",")
    return f"{text}\N{NO-BREAK SPACE}{unit}" if unit else text


def percent(share: float | None, t: Texts) -> str:
    """A share as per cent with one decimal."""
    return number(None if share is None else share * 100, t, 1, "%")


def show_directions(course: Course, t: Texts, local: Local) -> list[Shown]:
    """Both ways for each party."""
    return [
        _direction(direction, index, _heading(direction, course, t), course, t, local)
        for index, direction in enumerate(course.directions)
    ]


def _heading(direction: Direction, course: Course, t: Texts) -> str:
    role = t.of("log.role", direction.role)
    alike = list(dict.fromkeys(d.peer for d in course.directions if d.role == direction.role))
    if len(alike) > 1:
        role = f"{role} {alike.index(direction.peer) + 1}"
    return t("course.to_room", role=role) if direction.to_room else t("course.from_room", role=role)


def _direction(  # noqa: PLR0917 - all of one part of the page
    direction: Direction, index: int, heading: str, course: Course, t: Texts, local: Local
) -> Shown:
    told = summary(direction)
    facts = _facts(told, t)
    plot = Plot(
        name=f"way{index}",
        title=heading,
        words=", ".join(f"{name}: {value}" for name, value in facts),
        began=course.line.began,
        ended=course.line.ended,
        panels=_panels(direction, t),
        gaps=tuple(direction.gaps),
        gap_label=t("course.away"),
    )
    return Shown(plot.name, heading, facts, draw(plot, local), _table(direction, t, local))


def _facts(told: Summary, t: Texts) -> list[tuple[str, str]]:
    still = number(told.frozen_s, t, 1, "s")
    if told.freezes:
        still += ", " + (t("course.times", count=told.freezes) if told.freezes > 1 else t("course.once"))
    size = f"{told.size[0]}×{told.size[1]}" if told.size else NOTHING
    return [
        (t("course.frozen"), still),
        (t("course.away"), number(told.away_s, t, 0, "s")),
        (t("course.frames"), number(told.frame_rate, t, 1)),
        (t("course.size"), size),
        (t("course.sent"), number(_kilo(told.bit_rate), t, 0, "kbit/s")),
        (t("course.lost"), percent(told.lost, t)),
        (t("course.round_trip"), number(told.round_trip_ms, t, 0, "ms")),
        (t("course.concealed"), percent(told.concealed, t)),
    ]


def _panels(direction: Direction, t: Texts) -> tuple[Panel, ...]:
    sender, receiver = direction.sender, direction.receiver
    sent_kbit = _values(sender, "sent", "bit_rate", 1 / 1000)
    estimate = _values(sender, "sent", "estimate", 1 / 1000)
    lost = _values(receiver, "received", "lost", 100)
    if all(value is None for _, value in lost):
        lost = _values(sender, "sent", "lost", 100)
    concealed = _values(receiver, "received", "concealed", 100)
    return (
        Panel(
            t("course.bit_rate_axis"),
            (
                Line(t("course.sent"), sent_kbit, worst=min),
                Line(t("course.estimate"), estimate, "second", min),
            ),
            200,
        ),
        Panel(
            t("course.frames"),
            (Line("", _values(receiver, "received", "frame_rate"), worst=min),),
            30,
            tuple(_freezes(receiver)),
            t("course.frozen"),
        ),
        Panel(
            t("course.loss_axis"),
            (Line(t("course.lost"), lost), Line(t("course.concealed"), concealed, "second")),
            2,
        ),
        Panel(t("course.round_trip_axis"), (Line("", _values(sender, "sent", "round_trip_ms")),), 100),
    )


def _values(
    readings: Sequence[Reading], end: Literal["sent", "received"], name: str, factor: float = 1.0
) -> list[tuple[datetime, float | None]]:
    """One figure over time; none where there was no connection."""
    return [
        (r.at, _times(getattr(getattr(r, end), name, None), factor) if r.connected else None)
        for r in readings
    ]


def _freezes(readings: Sequence[Reading]) -> list[Gap]:
    """Where in its interval a picture stood still is not known: drawn as long as it was, at the end."""
    return [
        Gap(r.at - timedelta(seconds=min(r.received.frozen_s or 0.0, r.interval_s)), r.at)
        for r in readings
        if r.received is not None and r.received.freezes
    ]


def _table(direction: Direction, t: Texts, local: Local) -> list[list[str]]:
    """One row a minute: the sender's and the receiver's word beside each other."""
    rows: dict[str, list[Reading]] = {}
    for reading in sorted((*direction.sender, *direction.receiver), key=lambda r: r.at):
        rows.setdefault(local(reading.at).strftime("%H:%M"), []).append(reading)
    return [[minute, *_row(readings, t)] for minute, readings in rows.items()]


def _row(readings: Sequence[Reading], t: Texts) -> list[str]:
    sender = tuple(r for r in readings if r.received is None)
    receiver = tuple(r for r in readings if r.received is not None)
    told = summary(Direction("", "", False, sender, receiver))
    estimates = [r.sent.estimate for r in sender if r.sent and r.sent.estimate is not None]
    return [
        number(_kilo(told.bit_rate), t),
        number(_kilo(min(estimates, default=None)), t),
        number(told.frame_rate, t, 1),
        f"{told.size[0]}×{told.size[1]}" if told.size else NOTHING,
        number(told.frozen_s, t, 1),
        percent(told.worst_lost, t),
        number(told.round_trip_ms, t),
        percent(told.concealed, t),
    ]


def show_unit(course: Course, t: Texts, local: Local) -> Shown | None:
    """The unit's processor and encoders; None if it told nothing of them."""
    told = [(reading.at, reading.machine) for reading in course.unit if reading.machine]
    if not told:
        return None
    heading, facts = t("course.unit"), _unit_facts(course, [machine for _, machine in told], t)
    agent = [(at, machine.agent_cpu * 100) for at, machine in told]
    whole = [(at, machine.machine_cpu * 100) for at, machine in told]
    plot = Plot(
        name="unit",
        title=heading,
        words=", ".join(f"{name}: {value}" for name, value in facts),
        began=course.line.began,
        ended=course.line.ended,
        panels=(
            Panel(
                t("course.processor_axis"),
                (Line(t("course.agent"), agent), Line(t("course.machine"), whole, "second")),
                100,
            ),
        ),
        gaps=(),
        gap_label="",
    )
    return Shown(plot.name, heading, facts, draw(plot, local), [])


def _unit_facts(course: Course, machines: Sequence[Machine], t: Texts) -> list[tuple[str, str]]:
    encodings = sorted((e for reading in course.unit for e in reading.encodings), key=lambda e: e.name)
    facts = [
        (t("course.agent"), percent(sum(m.agent_cpu for m in machines) / len(machines), t)),
        (t("course.memory"), number(max(m.memory_mib for m in machines), t, 0, "MiB")),
    ]
    heat = [m.temperature_c for m in machines if m.temperature_c is not None]
    if heat:
        facts.append((t("course.temperature"), number(max(heat), t, 0, "°C")))
    for name, group in groupby(encodings, key=lambda e: e.name):
        made = list(group)
        times = [e.encode_ms for e in made if e.encode_ms is not None]
        mean = number(sum(times) / len(times) if times else None, t, 1, "ms")
        facts.append((t.of("course.encoding", name), f"{made[-1].encoder or NOTHING}, {mean}"))
    return facts


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _kilo(value: float | None) -> float | None:
    return _times(value, 1 / 1000)
