"""A TURN server of a few lines on loopback that relays: real sockets, channels alone, and a line that may lose."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aioice import stun, turn

from tests.agent.media.turn_server import CREDENTIAL, REALM, USERNAME, FakeTurn

LOOPBACK = "127.0.0.1"


class _Allocation(asyncio.DatagramProtocol):
    """One client's relayed address."""

    def __init__(self, server: RelayingTurn, client: Any) -> None:
        self.server, self.client = server, client
        self.peers: dict[int, Any] = {}
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        for channel, peer in self.peers.items():
            if peer == address and self.server.passes(data):
                self.server.to(self.client, struct.pack("!HH", channel, len(data)) + data)


class RelayingTurn(FakeTurn):
    """passes: which datagrams come through. forbids: no channel is given to anybody."""

    def __init__(self) -> None:
        super().__init__()
        self.passes: Callable[[bytes], bool] = lambda data: True
        self.forbids = False
        self.mismatches = 0
        self.allocations: dict[Any, _Allocation] = {}
        self.given_back = 0

    def to(self, client: Any, data: bytes) -> None:
        self._transport.sendto(data, client)

    def datagram_received(self, data: bytes, address: Any) -> None:
        if data[0] & 0xC0 == 0x40:
            channel, length = struct.unpack_from("!HH", data)
            mine = self.allocations[address]
            mine.transport.sendto(data[4 : 4 + length], mine.peers[channel])
            return
        asyncio.get_running_loop().create_task(self._take(data, address))

    async def _take(self, data: bytes, address: Any) -> None:
        question = stun.parse_message(data)
        answer = stun.parse_message(self.answer(data) or b"")
        if answer.message_class == stun.Class.RESPONSE and question.message_method != stun.Method.BINDING:
            answer = await self._grant(question, address)
        self.to(address, bytes(answer))

    async def _grant(self, question: stun.Message, address: Any) -> stun.Message:
        answer = stun.Message(question.message_method, stun.Class.RESPONSE, question.transaction_id)
        if question.message_method == stun.Method.ALLOCATE:
            if self.mismatches:
                self.mismatches -= 1
                self._refuse(answer, 437)
            else:
                answer.attributes.update(await self._allocate(address))
        elif question.message_method == stun.Method.CHANNEL_BIND and self.forbids:
            self._refuse(answer, 403)
        elif question.message_method == stun.Method.CHANNEL_BIND:
            peer = question.attributes["XOR-PEER-ADDRESS"]
            self.allocations[address].peers[question.attributes["CHANNEL-NUMBER"]] = peer
        elif question.message_method == stun.Method.REFRESH:
            self.given_back += 1
            self.allocations.pop(address).transport.close()
            answer.attributes["LIFETIME"] = 0
        answer.add_message_integrity(turn.make_integrity_key(USERNAME, REALM, CREDENTIAL))
        return answer

    def _refuse(self, answer: stun.Message, code: int) -> None:
        answer.message_class = stun.Class.ERROR
        answer.attributes["ERROR-CODE"] = (code, "Kanariefågel")

    async def _allocate(self, client: Any) -> dict[str, Any]:
        made = _Allocation(self, client)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: made, local_addr=(LOOPBACK, 0))
        self.allocations[client] = made
        relayed = transport.get_extra_info("sockname")
        return {"LIFETIME": 600, "XOR-RELAYED-ADDRESS": relayed, "XOR-MAPPED-ADDRESS": client}


@asynccontextmanager
async def relaying_turn() -> AsyncIterator[RelayingTurn]:
    """By UDP; all that it gave must have been given back in the end."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(RelayingTurn, local_addr=(LOOPBACK, 0))
    try:
        yield server
        assert server.allocations == {}
    finally:
        transport.close()
