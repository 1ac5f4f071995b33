"""A made-up call: a thin stretch, two freezes and forty seconds without a line."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from agent.contract.quality import Encoding, Machine, Received, Sent
from web.clinic.course import CallLine, Course, Direction, Reading, UnitReading

STEP_S = 5.0
PEER = "c41f9d2k7s1m0q3x"
FROZEN_S = {125.0: 2.2, 230.0: 0.8}
UNFROZEN = {"freezes": 0, "frozen_s": 0.0}
SMALL, LARGE = {"width": 640, "height": 360}, {"width": 1280, "height": 720}


def course(
    sid: str, began: datetime, *, ref: str = "A12", minutes: float = 8, role: str = "clinician"
) -> Course:
    """Both directions; the line is thin from minute 2 to 4 and away for 40 s from minute 5."""
    out_sent, out_seen, in_sent, in_seen, unit = [], [], [], [], []
    for number in range(1, int(minutes * 60 / STEP_S) + 1):
        seconds, at = number * STEP_S, began + timedelta(seconds=number * STEP_S)
        away = 300 < seconds <= 340
        sent, seen = at_moment(seconds)
        told = (at, STEP_S, not away)
        out_sent.append(Reading(*told, sent=None if away else sent))
        in_seen.append(Reading(*told, received=None if away else seen.model_copy(update=UNFROZEN)))
        if not away:
            out_seen.append(Reading(*told, received=seen))
            in_sent.append(Reading(*told, sent=sent.model_copy(update={"encoder": "OpenH264"})))
        unit.append(UnitReading(at, STEP_S, *unit_at(seconds, sent)))
    ended = began + timedelta(minutes=minutes)
    line = CallLine(sid, ref, "Hälsorum 1", "Vårdcentralen", began, ended, 0.0, 3.0, 40.0)
    directions = (
        Direction(PEER, role, False, tuple(out_sent), tuple(out_seen)),
        Direction(PEER, role, True, tuple(in_sent), tuple(in_seen)),
    )
    return Course(line, directions, tuple(unit))


def at_moment(seconds: float) -> tuple[Sent, Received]:
    """What one end sends and the other sees, so many seconds into the call."""
    wave = math.sin(seconds / 17)
    frozen_s = FROZEN_S.get(seconds, 0.0)
    common = {"jitter_ms": 8.0, "freezes": int(frozen_s > 0), "frozen_s": frozen_s, "buffer_ms": 60.0}
    if 120 <= seconds < 240:
        rate = int((357 + 21 * wave) * 1000)
        return (
            Sent(bit_rate=rate, estimate=420_000, lost=0.02, round_trip_ms=140.0, frame_rate=14.0, **SMALL),
            Received(bit_rate=rate, lost=0.034, frame_rate=13.5, concealed=0.028, **SMALL, **common),
        )
    rate, estimate = int((1350 + 140 * wave) * 1000), int((2300 + 200 * wave) * 1000)
    return (
        Sent(
            bit_rate=rate,
            estimate=estimate,
            lost=0.001,
            round_trip_ms=46 + 6 * wave,
            frame_rate=29.8,
            **LARGE,
        ),
        Received(bit_rate=rate, lost=0.0, frame_rate=29.5 + wave / 3, concealed=0.001, **LARGE, **common),
    )


def unit_at(seconds: float, sent: Sent) -> tuple[Machine, tuple[Encoding, ...]]:
    """The unit's computer meanwhile."""
    wave = math.sin(seconds / 17)
    machine = Machine(
        agent_cpu=0.42 + 0.04 * wave, machine_cpu=0.55 + 0.08 * wave, memory_mib=161.0, temperature_c=58.5
    )
    rate = sent.bit_rate or 0
    return machine, (
        Encoding(name="full", encoder="libx264", bit_rate=rate, frame_rate=29.8, encode_ms=9.2, **LARGE),
    )
