"""STUN and TURN addresses as URLs: RFC 7064 (`stun:`), RFC 7065 (`turn:`, `turns:`); IPv6 in brackets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

PORT = 3478
TLS_PORT = 5349
_URL = re.compile(
    r"(?P<scheme>stuns?|turns?):"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253})"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?:\?transport=(?P<transport>[a-z]+))?"
)


class IceUrlError(ValueError):
    """This URL cannot be used; the message says why."""


class Transport(IntEnum):
    """How we speak with a server, the best first: TCP lets one lost packet hold up all that follow."""

    UDP = 0
    TCP = 1
    TLS = 2


@dataclass(frozen=True, slots=True)
class IceUrl:
    """One server, reached in one way."""

    kind: Literal["stun", "turn"]
    host: str
    port: int
    transport: Transport

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        secure = "s" if self.transport is Transport.TLS else ""
        way = "?transport=tcp" if self.transport is Transport.TCP else ""
        return f"{self.kind}{secure}:{host}:{self.port}{way}"


def parse_ice_url(text: str) -> IceUrl:
    """Read a URL; IceUrlError for what is no such URL, and for the ways that are not supported.

    Those are `stuns:` (our own address need not be secret) and TURN over DTLS.
    """
    match = _URL.fullmatch(text)
    if match is None:
        raise IceUrlError("is not a stun:, turn: or turns: URL, as in turn:turn.region.example:3478")
    scheme, asked = match["scheme"], match["transport"]
    if scheme.startswith("stun") and (scheme == "stuns" or asked):
        raise IceUrlError("stun: takes no transport, and stuns: is not supported; write stun:HOST:PORT")
    secure = scheme == "turns"
    if asked not in (None, "udp", "tcp") or (secure and asked == "udp"):
        raise IceUrlError("the transport must be udp or tcp, and tcp for turns:")
    port = int(match["port"]) if match["port"] else (TLS_PORT if secure else PORT)
    if not 0 < port < 65536:
        raise IceUrlError("the port must be 1 to 65535")
    plain = Transport.TCP if asked == "tcp" else Transport.UDP
    return IceUrl(
        "stun" if scheme == "stun" else "turn",
        match["host"].strip("[]"),
        port,
        Transport.TLS if secure else plain,
    )
