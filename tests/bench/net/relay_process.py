"""The relay: a process of its own, so that its processor time is nobody's, between two ends of a connection.

Every datagram goes through its direction's Line, and comes out when that says. It is asked line by line
(tests/bench/lines.py): stand_before, impair, begin, log.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import re
import socket
import sys
import time
from dataclasses import dataclass, field, replace
from typing import Any

from tests.bench.figures import percentile
from tests.bench.lines import answer_lines
from tests.bench.net.cases import Case, chosen
from tests.bench.net.line import IP_UDP_HEADER_BYTES, Line, Outcome

LOOPBACK = "127.0.0.1"
BIN_S = 0.1
SOCKET_BUFFER_BYTES = 1 << 21
REAL_TIME_PRIORITY = 1  # the lowest; above all that is not real-time
_CANDIDATE = re.compile(
    r"a=candidate:(?P<head>\S+ 1 udp \d+) 127\.0\.0\.1 (?P<port>\d+) typ host.*", re.IGNORECASE
)

Address = tuple[str, int]


@dataclass(slots=True)
class _Bin:
    offered_bytes: int = 0
    passed_bytes: int = 0
    lost: int = 0
    queue_full: int = 0
    queued_s: float = 0.0


@dataclass(slots=True)
class Direction:
    """One direction's line and its course since begin(), in bins of BIN_S."""

    line: Line
    began_at: float | None = None
    bins: list[_Bin] = field(default_factory=list)
    late_s: list[float] = field(default_factory=list)

    def send(self, now: float, size: int) -> Outcome:
        outcome = self.line.send(now, size)
        if self.began_at is not None:
            self._count(now, size + IP_UDP_HEADER_BYTES, outcome)
        return outcome

    def _count(self, now: float, size: int, outcome: Outcome) -> None:
        assert self.began_at is not None
        index = int((now - self.began_at) / BIN_S)
        while len(self.bins) <= index:
            self.bins.append(_Bin())
        here = self.bins[index]
        here.offered_bytes += size
        here.queued_s = max(here.queued_s, outcome.queued_s)
        if outcome.fate == "passed":
            here.passed_bytes += size
        elif outcome.fate == "lost":
            here.lost += 1
        else:
            here.queue_full += 1

    def log(self) -> dict[str, Any]:
        """Lists by bin: rates in kbit/s, the longest stay in the queue in ms, datagrams lost and turned away."""
        assert self.began_at is not None
        kbit = 8 / 1000 / BIN_S
        rates = [self.line.bit_rate(self.began_at + index * BIN_S) for index in range(len(self.bins))]
        return {
            "bin_s": BIN_S,
            "sent_kbit_per_s": [round(each.offered_bytes * kbit, 1) for each in self.bins],
            "passed_kbit_per_s": [round(each.passed_bytes * kbit, 1) for each in self.bins],
            "line_kbit_per_s": [None if rate is None else rate / 1000 for rate in rates],
            "queue_ms": [round(each.queued_s * 1000, 1) for each in self.bins],
            "lost": [each.lost for each in self.bins],
            "queue_full": [each.queue_full for each in self.bins],
            "late_ms_p95": round(percentile(self.late_s, 0.95) * 1000, 2) if self.late_s else 0.0,
        }


class _Side(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.on_datagram: Any = None

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self.on_datagram(data, addr)


class Relay:
    """Fronts stand before the ports of one end, called home; the other end, called away, talks to the fronts.

    Each socket of the away end gets a socket of its own towards home, as a NAT gives it. media_from says which end
    sends picture and sound, so that these meet the same losses wherever they come from.
    """

    def __init__(self, case: Case, seed: int, media_from: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._case = case
        self.media = Direction(Line(replace(case.shape, loss=None), seed))
        self.feedback = Direction(Line(replace(case.shape, loss=None), seed + 1))
        self._sides: list[asyncio.DatagramTransport] = []
        home_sends = media_from == "home"
        self._from_home, self._from_away = (
            (self.media, self.feedback) if home_sends else (self.feedback, self.media)
        )

    def close(self) -> None:
        """Close all ports."""
        for transport in self._sides:
            transport.close()

    async def _open(self) -> tuple[asyncio.DatagramTransport, _Side]:
        side = _Side()
        transport, _ = await self._loop.create_datagram_endpoint(lambda: side, local_addr=(LOOPBACK, 0))
        self._sides.append(transport)
        plain: socket.socket = transport.get_extra_info("socket")
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            plain.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER_BYTES)
        return transport, side

    async def front_for(self, home_port: int) -> int:
        """Open a port that stands in front of a port of the home end, and return it."""
        front, front_side = await self._open()
        backs: dict[Address, asyncio.Future[asyncio.DatagramTransport]] = {}

        async def open_back(away: Address, made: asyncio.Future[asyncio.DatagramTransport]) -> None:
            transport, side = await self._open()
            side.on_datagram = lambda data, _address: self._pass(self._from_home, data, front, away)
            made.set_result(transport)

        def from_away(data: bytes, away: Address) -> None:
            made = backs.get(away)
            if made is None:  # what comes until it is there is lost; connectivity checks are repeated
                made = backs[away] = self._loop.create_future()
                self._loop.create_task(open_back(away, made))
            elif made.done():
                self._pass(self._from_away, data, made.result(), (LOOPBACK, home_port))

        front_side.on_datagram = from_away
        port: int = front.get_extra_info("sockname")[1]
        return port

    def _pass(self, direction: Direction, data: bytes, side: asyncio.DatagramTransport, to: Address) -> None:
        outcome = direction.send(self._loop.time(), len(data))
        if outcome.arrives_at is not None:
            self._loop.call_at(
                outcome.arrives_at, self._deliver, direction, outcome.arrives_at, data, side, to
            )

    def _deliver(
        self, direction: Direction, due: float, data: bytes, side: asyncio.DatagramTransport, to: Address
    ) -> None:
        if direction.began_at is not None:
            direction.late_s.append(self._loop.time() - due)
        if not side.is_closing():  # what is still on its way when the run ends
            side.sendto(data, to)

    async def stand_before(self, sdp: str) -> dict[str, Any]:
        """The home end's description with each of its loopback candidates replaced by a port of ours."""
        fronts: dict[str, int] = {}
        lines = []
        for line in sdp.splitlines():
            if not line.startswith("a=candidate:"):
                lines.append(line)
            elif match := _CANDIDATE.fullmatch(line):
                port = match["port"]
                if port not in fronts:
                    fronts[port] = await self.front_for(int(port))
                lines.append(f"a=candidate:{match['head']} {LOOPBACK} {fronts[port]} typ host")
        return {"sdp": "\r\n".join(lines) + "\r\n"}

    async def impair(self) -> dict[str, Any]:
        """From now on the line loses what it should."""
        self.media.line.loss = self.feedback.line.loss = self._case.shape.loss
        return {}

    async def begin(self) -> dict[str, Any]:
        """Measure from now on; the case's changes of rate count from here. at: the moment, in Unix seconds."""
        now = self._loop.time()
        for direction in (self.media, self.feedback):
            direction.began_at = now
            direction.line.follow([replace(each, at_s=each.at_s + now) for each in self._case.changes])
        return {"at": time.time()}

    async def log(self) -> dict[str, Any]:
        return {"media": self.media.log(), "feedback": self.feedback.log()}


async def main(case: Case, seed: int, media_from: str) -> None:
    # A relay that waits for the processor is a line nobody asked for. Not every system allows this.
    with contextlib.suppress(OSError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(REAL_TIME_PRIORITY))
    gc.disable()  # runs are short, and its pauses would be the line's
    relay = Relay(case, seed, media_from)
    questions = (relay.stand_before, relay.impair, relay.begin, relay.log)
    await answer_lines({question.__name__: question for question in questions})
    relay.close()


if __name__ == "__main__":
    asyncio.run(main(chosen([sys.argv[1]])[0], int(sys.argv[2]), sys.argv[3]))
