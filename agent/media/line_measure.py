"""Loss, rate and delay of the line, by packets of ours that go out to a TURN server and come back from it.

From one relayed address of ours to another: each packet takes the line both ways, as a call's do, and no other
machine has part in it. Where the server does not relay to itself, its answers to small questions must do
(RFC 8489, Binding): they show loss and delay, and not how much the line carries.
"""

from __future__ import annotations

import asyncio
import logging
import os
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aioice import stun

from agent.media.ice_probe import resolve
from agent.media.ice_servers import Server
from agent.media.ice_url import Transport
from agent.media.line_figures import LineFigures, Train, figures_of, thin_figures
from agent.media.server_finder import reason_of
from agent.media.turn_endpoint import Opening, TurnEndpoint, turn_endpoint

log = logging.getLogger(__name__)

TICK_S = 0.01
BURST = 8
"""A loop that was busy sends no more at once than this to catch up: the line is not to be blamed for our haste."""
MEET_WITHIN_S, MEET_AGAIN_S = 3.0, 0.25
TRIES = 2
"""A server may refuse one address of two for a moment; small questions tell less, so they are the last resort."""
AGAIN_WITHIN_S = 5.0
"""So soon it must have failed to be tried once more: a test of the room has 40 s for all."""
NAME_WITHIN_S = 3.0
LAST_S = 0.5
"""How long the last packets are waited for, beyond the time that most took."""
_HEAD = struct.Struct("!8sBI")  # which measurement, which train, which packet


@dataclass(frozen=True, slots=True)
class Pace:
    """size_bytes: of UDP's payload towards the other end. for_s: how long packets are sent."""

    size_bytes: int
    per_s: float
    for_s: float

    @property
    def bit_rate(self) -> float:
        """bit/s."""
        return self.size_bytes * 8 * self.per_s


THIN = Pace(160, 150.0, 1.0)
"""0.19 Mbit/s in packets as large as sound's, enough of them to tell 3 % from none: 24 kB."""
THICK = Pace(1150, 270.0, 2.0)
"""2.5 Mbit/s in packets as large as a picture's, what a call with a good picture takes at most: 620 kB."""


class NotRelayed(ConnectionError):
    """This server gives addresses, and lets nothing pass from one of ours to the other."""


async def measure(server: Server, opening: Opening, thin: Pace = THIN, thick: Pace = THICK) -> LineFigures:
    """Through this TURN server, for about 3.5 s. Raises NotRelayed, OSError or the engine's own error."""
    async with turn_endpoint(server, opening) as ours, turn_endpoint(server, opening) as other:
        run = _Run(ours, other)
        await run.meet()
        trains = [await run.send(number, pace) for number, pace in ((1, thin), (2, thick))]
        await asyncio.sleep(LAST_S + min(trains[0].delays_s, default=0.0))
        return figures_of(*trains, shows_loss=server.url.transport is Transport.UDP)


class _Run:
    """Both ends and what has come."""

    def __init__(self, ours: TurnEndpoint, other: TurnEndpoint) -> None:
        self._ours, self._other = ours, other
        self._mark = os.urandom(8)  # nobody else's packet is counted
        self._filling = os.urandom(2048)  # nor can a line make it smaller than it is
        self._trains: dict[int, Train] = {}
        self._met = asyncio.Event()
        other.on_datagram = self._came

    async def meet(self) -> None:
        """Each end asks the server to let the other through (RFC 8656, section 9), until a packet has come."""
        until = time.monotonic() + MEET_WITHIN_S
        while not self._met.is_set():
            for end, other in ((self._other, self._ours), (self._ours, self._other)):
                end.send(_HEAD.pack(self._mark, 0, 0), other.relayed)
            try:
                await asyncio.wait_for(self._met.wait(), MEET_AGAIN_S)
            except TimeoutError:
                fault = self._ours.fault or self._other.fault
                if fault is not None or time.monotonic() > until:
                    raise NotRelayed("it lets nothing pass between two addresses of its own") from fault

    async def send(self, number: int, pace: Pace) -> Train:
        """One train."""
        train = self._trains[number] = Train(pace.size_bytes)

        def send_one(packet: int) -> None:
            head = _HEAD.pack(self._mark, number, packet)
            self._ours.send(head + self._filling[: pace.size_bytes - len(head)], self._other.relayed)

        await send_paced(train, pace, send_one)
        return train

    def _came(self, data: bytes) -> None:
        now = time.monotonic()
        if len(data) < _HEAD.size:
            return
        mark, number, packet = _HEAD.unpack_from(data)
        if mark != self._mark:
            return
        self._met.set()
        if number in self._trains:
            self._trains[number].came(packet, now)


async def send_paced(train: Train, pace: Pace, send_one: Callable[[int], None]) -> None:
    """Evenly; what a busy loop has missed beyond a small burst is left out."""
    wanted, every_s = round(pace.per_s * pace.for_s), 1 / pace.per_s
    next_at = time.monotonic()
    until = next_at + 2 * pace.for_s
    while len(train.sent_at) < wanted and (now := time.monotonic()) < until:
        next_at = max(next_at, now - BURST * every_s)
        while next_at <= now and len(train.sent_at) < wanted:
            send_one(train.sent(time.monotonic()))
            next_at += every_s
        await asyncio.sleep(TICK_S)


async def ask_often(server: Server, pace: Pace = THIN) -> LineFigures | None:
    """Binding questions to a STUN or TURN server by UDP; None if it answers none at all. Raises OSError, of which
    TimeoutError is one: its name is not told."""
    train = Train(0)
    numbers: dict[bytes, int] = {}

    class _Asking(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, _address: Any) -> None:  # noqa: ANN401 - asyncio's own
            number = numbers.get(data[8:20])  # the transaction (RFC 8489, section 5)
            if number is not None:
                train.came(number, time.monotonic())

    async with asyncio.timeout(NAME_WITHIN_S):
        address = await resolve(server.url)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        _Asking, remote_addr=(address, server.url.port)
    )

    def ask(number: int) -> None:
        question = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        numbers[question.transaction_id] = number
        transport.sendto(bytes(question))

    try:
        await send_paced(train, pace, ask)
        await asyncio.sleep(LAST_S + min(train.delays_s, default=0.0))
    finally:
        transport.close()
    return thin_figures(train) if train.came_at else None


async def measure_what_can_be(
    relaying: Server | None, asked: Server | None, opening: Opening, pace: Pace = THIN
) -> LineFigures | None:
    """By the TURN server that relays; else by the answers of `asked`, reached by UDP; None: neither shows any.

    pace: of the questions to the latter.
    """
    if relaying is not None:
        figures = await _through(relaying, opening)
        if figures is not None:
            return figures
    if asked is None:
        return None
    try:
        return await ask_often(asked, pace)
    except OSError as error:
        log.warning("the line is not measured by %s: %s", asked.url, reason_of(error))
        return None


async def _through(relaying: Server, opening: Opening) -> LineFigures | None:
    until = time.monotonic() + AGAIN_WITHIN_S
    for tried in range(TRIES):
        if tried and time.monotonic() > until:
            break
        try:
            return await measure(relaying, opening)
        except NotRelayed as error:
            log.warning("the line is not measured through %s: %s", relaying.url, error)
            break
        except Exception as error:  # a network's or a server's fault, told by OSError or the engine's own
            log.warning("the line is not measured through %s: %s", relaying.url, reason_of(error))
    return None
