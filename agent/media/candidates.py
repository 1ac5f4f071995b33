"""Which addresses a party may have us send connectivity checks to (RFC 8445 section 19.5.1)."""

from __future__ import annotations

import ipaddress

CANDIDATES_MAX = 32  # a browser with Wi-Fi, cable, VPN and three TURN servers has about 20
LEAST_PORT = 1024  # no browser and no relay listens below; name, time and printing services do


class RemoteCandidates:
    """One connection's remote candidates: UDP, numeric, few, and none that leads to another service.

    Each is an address and port that we send up to seven checks of about 100 bytes to, so a hostile party
    could have us knock on doors of the clinic's network. Addresses of that network must be allowed, since a
    clinician may sit in it; what is left out is what no browser of a colleague can have. Broadcast addresses
    of our own subnets are refused by the system, since our sockets are not opened for broadcast.
    """

    def __init__(self, *, loopback: bool) -> None:
        """loopback: whether we ourselves are reached there (all parts on one machine, or the kiosk)."""
        self._loopback = loopback
        self._known: set[tuple[str, int] | None] = set()
        self.refused = 0

    def admit(self, candidate: str) -> bool:
        """Whether this one, as in SDP without its `candidate:`, may be used. Never raises."""
        place = _place(candidate)
        if place in self._known:
            return True  # each section of a description may repeat it
        if place is None or len(self._known) >= CANDIDATES_MAX or not self._is_admissible(*place):
            self.refused += 1
            return False
        self._known.add(place)
        return True

    def _is_admissible(self, host: str, port: int) -> bool:
        return LEAST_PORT <= port <= 0xFFFF and is_admissible_address(host, loopback=self._loopback)


def _place(candidate: str) -> tuple[str, int] | None:
    """Host and port of a UDP candidate (RFC 8839 section 5.1), None for any other."""
    fields = candidate.split(maxsplit=8)
    if len(fields) < 8 or fields[2].lower() != "udp" or not (fields[5].isascii() and fields[5].isdecimal()):
        return None
    return (fields[4], int(fields[5])) if len(fields[5]) <= 5 else None


def is_admissible_address(host: str, *, loopback: bool) -> bool:
    """Whether a colleague's browser can be there: no name, and no address with a meaning of its own."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False  # a name, `.local` ones among them: looking it up costs a second and tells where we are
    if address.is_loopback:
        return loopback
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id or address.is_site_local or address.ipv4_mapped or address.sixtofour:
            return False
    elif address.packed[0] == 0:  # "this network" (RFC 6890)
        return False
    return not (
        address.is_unspecified or address.is_multicast or address.is_link_local or address.is_reserved
    )
