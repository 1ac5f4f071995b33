"""When a connection with a party is tried, given up and tried again. Attempts are call_control's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from agent.contract.signalling import IceServer
from agent.media.peer_use import EVERYTHING, PeerUse

RETRY_AFTER_S = 2.0
"""An attempt that is under way gets so long before another begins."""
CONNECT_WITHIN_S = (5.0, 6.0, 8.0, 10.0)
"""An attempt without media for this long after its offer is followed by the next: the first, the second, …"""
COMES_BACK_WITHIN_S = 0.7
"""When the line is back, media that was on it comes by itself sooner than a rebuilt connection would."""


@dataclass(slots=True)
class Wanted:
    """What is known of the connection with one party. offered_at: of the attempt under way, if there is one."""

    ice_servers: Sequence[IceServer]
    use: PeerUse = EVERYTHING
    offered_at: float | None = None
    tries: int = 0
    held: bool = False
    """Wanted, but there is no signalling."""
    addresses: frozenset[str] = frozenset()
    """Ours when it was built: with one of them gone it may be dead."""
    timer: asyncio.TimerHandle | None = field(default=None, repr=False)

    @property
    def give_up_s(self) -> float:
        return CONNECT_WITHIN_S[min(self.tries, len(CONNECT_WITHIN_S)) - 1]

    @property
    def unsettled(self) -> bool:
        return self.held or self.offered_at is not None

    def stop_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class Connections:
    """All that are wanted, by peer. build(peer, wanted) begins an attempt. Used on the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, build: Callable[[str, Wanted], None]) -> None:
        self._loop = loop
        self._begin = build
        self._wanted: dict[str, Wanted] = {}
        self._signalling = True
        self._addresses: frozenset[str] = frozenset()

    def get(self, peer: str) -> Wanted | None:
        """The one with this party, if it is wanted."""
        return self._wanted.get(peer)

    def clear(self) -> None:
        """Want none any more."""
        for wanted in self._wanted.values():
            wanted.stop_timer()
        self._wanted.clear()

    def drop(self, peer: str) -> None:
        """Want this one no more."""
        wanted = self._wanted.pop(peer, None)
        if wanted is not None:
            wanted.stop_timer()

    def want(self, peer: str, ice_servers: Sequence[IceServer], use: PeerUse) -> None:
        """Build a connection with a party, or build it anew.

        At once, but after RETRY_AFTER_S if an attempt is under way, and not before there is signalling.
        """
        wanted = self._wanted.setdefault(peer, Wanted(ice_servers))
        wanted.ice_servers, wanted.use = ice_servers, use
        wanted.stop_timer()
        wait_s = 0.0
        if wanted.offered_at is not None:
            wait_s = max(0.0, wanted.offered_at + RETRY_AFTER_S - self._loop.time())
        wanted.timer = self._loop.call_later(wait_s, self._build, peer)

    def _build(self, peer: str) -> None:
        wanted = self._wanted[peer]
        wanted.timer = None
        wanted.held = not self._signalling
        if wanted.held:
            wanted.offered_at = None
            return
        wanted.addresses = self._addresses
        wanted.offered_at = self._loop.time()
        wanted.tries += 1
        self._begin(peer, wanted)

    def signalling(self, up: bool) -> None:
        """Offers can be sent, or not. What has no media by then is built anew: its offer may have been lost."""
        self._signalling = up
        for peer, wanted in self._wanted.items() if up else ():
            if wanted.unsettled:
                wanted.stop_timer()
                wait_s = COMES_BACK_WITHIN_S if wanted.addresses <= self._addresses else 0.0
                wanted.timer = self._loop.call_later(wait_s, self._build, peer)

    def network_changed(self, addresses: frozenset[str]) -> None:
        """This machine's addresses now. A connection that may hang on one that is gone is built anew."""
        self._addresses = addresses
        for peer, wanted in self._wanted.items():
            if wanted.unsettled or not wanted.addresses <= addresses:
                self.want(peer, wanted.ice_servers, wanted.use)

    def flowing(self, peer: str) -> None:
        """Media has come from this party."""
        wanted = self._wanted.get(peer)
        if wanted is not None:
            wanted.offered_at, wanted.tries, wanted.held = None, 0, False
            wanted.stop_timer()

    def overdue(self) -> list[str]:
        """Whose attempts never came to life."""
        now = self._loop.time()
        return [
            peer
            for peer, wanted in self._wanted.items()
            if wanted.offered_at is not None and now > wanted.offered_at + wanted.give_up_s
        ]
