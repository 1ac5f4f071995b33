"""Lets a stock aiortc connection gather on chosen addresses alone, as loopback."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from aioice import ice
from aiortc import RTCPeerConnection


def gather_only(connection: RTCPeerConnection, addresses: Sequence[str]) -> None:
    """Before setLocalDescription."""
    transports = {transceiver.receiver.transport for transceiver in connection.getTransceivers()}
    if connection.sctp is not None:
        transports.add(connection.sctp.transport)
    for dtls in transports:
        engine: Any = dtls.transport._connection
        engine.get_component_candidates = partial(_gather, engine, list(addresses))


async def _gather(
    engine: Any, chosen: list[str], component: int, addresses: list[str], timeout: int = 5
) -> Any:
    return await ice.Connection.get_component_candidates(engine, component, chosen, timeout)
