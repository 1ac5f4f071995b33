"""What of one socket's datagrams is looked at: judged by kind, size and rate before any work is done for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from agent.media.allowance import Allowance

# Browsers keep to 1200 bytes, and an Ethernet frame ends at 1500: what is larger came in fragments.
DATAGRAM_BYTES_MAX = 1500
STUN_BYTES_MIN = 20  # RFC 8489 section 5
_STUN_LAST, _DTLS_FIRST, _DTLS_LAST = 3, 20, 63  # RFC 7983: by the first byte
REMOTE_PLACES_MAX = 64  # those of the description, and as many learnt from checks (RFC 8445 section 7.3.1.3)

# Each several times what a browser was seen to send: 260 RTP packets a second at 2.5 Mbit/s and the repeats
# of a bad second; feedback every 50 ms and a NACK every 20; checks every 50 ms from some places at once.
RTP_PER_S, RTP_BURST = 1000, 1000
RTCP_PER_S, RTCP_BURST = 300, 300
DTLS_PER_S, DTLS_BURST = 300, 300
STUN_PER_S, STUN_BURST = 200, 400
STRANGER_PER_S, STRANGER_BURST = 50, 100

Flood = Literal["RTP", "RTCP", "data channel"]
Address = tuple[str, int]


class Admission:
    """Of one connection. Encrypted and authenticated media that keeps coming far too fast is a flood, told
    once by on_flood; anybody can send the rest in another's name, so it is dropped and blamed on nobody.
    """

    def __init__(self, on_flood: Callable[[Flood], None]) -> None:
        self._on_flood = on_flood
        self._rtp = Allowance(RTP_PER_S, RTP_BURST)
        self._rtcp = Allowance(RTCP_PER_S, RTCP_BURST)
        self._dtls = Allowance(DTLS_PER_S, DTLS_BURST)
        self._stun = Allowance(STUN_PER_S, STUN_BURST)
        self._strangers = Allowance(STRANGER_PER_S, STRANGER_BURST)
        self._told = False

    @property
    def refused(self) -> int:
        """Datagrams dropped for coming too fast."""
        allowances = (self._rtp, self._rtcp, self._dtls, self._stun, self._strangers)
        return sum(allowance.refused for allowance in allowances)

    def rtp(self, now: float) -> bool:
        """A decrypted RTP packet."""
        return self._take(self._rtp, "RTP", now)

    def rtcp(self, now: float) -> bool:
        """A decrypted RTCP packet."""
        return self._take(self._rtcp, "RTCP", now)

    def signal(self, data: bytes, now: float, *, known: bool, places: int) -> bool:
        """Anything else, from a place that we check or not; places: how many there are."""
        if data[0] <= _STUN_LAST:
            if not STUN_BYTES_MIN <= len(data) <= DATAGRAM_BYTES_MAX:
                return False
            if known:
                return self._stun.take(now)
            return places < REMOTE_PLACES_MAX and self._strangers.take(now)
        # Encryption starts only where a check came from or went to.
        return known and _DTLS_FIRST <= data[0] <= _DTLS_LAST and self._dtls.take(now)

    def flood(self, kind: Flood) -> None:
        """Say so, once."""
        if not self._told:
            self._told = True
            self._on_flood(kind)

    def _take(self, allowance: Allowance, kind: Flood, now: float) -> bool:
        if allowance.take(now):
            return True
        if allowance.flooded:
            self.flood(kind)
        return False
