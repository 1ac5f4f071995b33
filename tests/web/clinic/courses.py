"""A made-up call: eight minutes with a thin stretch, two freezes and forty seconds without a line."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timedelta

from agent.contract.quality import Encoding, Machine, Received, Sent
from web.clinic.course import CallLine, Course, Direction, Reading, UnitReading

STEP_S = 5.0
PEER = "c41f9d2k7s1m0q3x"


def moments(began: datetime, minutes: float) -> Iterator[tuple[float, datetime]]:
    """Seconds since the beginning, and the moment at which that interval ends."""
    for number in range(1, int(minutes * 60 / STEP_S) + 1):
        yield number * STEP_S, began + timedelta(seconds=number * STEP_S)


def course(
    sid: str, began: datetime, *, ref: str = "A12", minutes: float = 8, role: str = "clinician"
) -> Course:
    """Both directions; the line is thin from minute 2 to 4 and away for 40 s from minute 5."""
    out_sent, out_seen, in_sent, in_seen, unit = [], [], [], [], []
    for seconds, at in moments(began, minutes):
        wave = math.sin(seconds / 17)
        thin, away = 120 <= seconds < 240, 300 < seconds <= 340
        estimate = int((420 if thin else 2300 + 200 * wave) * 1000)
        rate = int(estimate * (0.85 + 0.05 * wave)) if thin else int((1350 + 140 * wave) * 1000)
        sent = Sent(bit_rate=rate, estimate=estimate, lost=0.02 if thin else 0.001, round_trip_ms=140.0 if thin else 46 + 6 * wave,
                    frame_rate=14.0 if thin else 29.8, width=640 if thin else 1280, height=360 if thin else 720,
                    encoding="main", encoder="libx264", encode_ms=9.2)  # fmt: skip
        frozen = {125.0: 2.2, 230.0: 0.8}.get(seconds, 0.0)
        seen = Received(bit_rate=rate, lost=0.034 if thin else 0.0, jitter_ms=8.0, frame_rate=13.5 if thin else 29.5 + wave / 3,
                        width=640 if thin else 1280, height=360 if thin else 720, freezes=int(frozen > 0), frozen_s=frozen,
                        concealed=0.028 if thin else 0.001, buffer_ms=60.0, nacks=4, keyframe_requests=0)  # fmt: skip
        told = (at, STEP_S, not away)
        out_sent.append(Reading(*told, sent=None if away else sent))
        in_seen.append(
            Reading(*told, received=None if away else seen.model_copy(update={"freezes": 0, "frozen_s": 0.0}))
        )
        if not away:
            out_seen.append(Reading(*told, received=seen))
            in_sent.append(Reading(*told, sent=sent.model_copy(update={"encoder": "OpenH264"})))
        machine = Machine(
            agent_cpu=0.42 + 0.04 * wave, machine_cpu=0.55 + 0.08 * wave, memory_mib=161.0, temperature_c=58.5
        )
        main = Encoding(
            name="main",
            encoder="libx264",
            bit_rate=rate,
            frame_rate=29.8,
            width=1280,
            height=720,
            encode_ms=9.2,
        )
        unit.append(UnitReading(at, STEP_S, machine, (main,)))
    line = CallLine(
        sid, ref, "Hälsorum 1", "Vårdcentralen", began, began + timedelta(minutes=minutes), 0.0, 3.0, 40.0
    )
    directions = (
        Direction(PEER, role, False, tuple(out_sent), tuple(out_seen)),
        Direction(PEER, role, True, tuple(in_sent), tuple(in_seen)),
    )
    return Course(line, directions, tuple(unit))
