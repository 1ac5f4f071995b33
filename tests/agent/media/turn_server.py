"""A STUN and TURN server of a few lines on loopback: answers, refuses, or stays silent, by UDP or TCP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aioice import stun, turn

USERNAME, CREDENTIAL, REALM = "1795348800:5f1c", "right", "region.example"
RELAYED, MAPPED = ("192.0.2.50", 49200), ("192.0.2.60", 40000)


class FakeTurn(asyncio.DatagramProtocol):
    """Counts the questions; `silent` makes it dead, as a server behind a broken line is."""

    def __init__(self, *, silent: bool = False) -> None:
        self.silent = silent
        self.refuses: int | None = None
        self.methods: list[str] = []
        self.port = 0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, address: Any) -> None:
        answer = self.answer(data)
        if answer is not None:
            self._transport.sendto(answer, address)

    async def serve_stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                header = await reader.readexactly(20)
                body = await reader.readexactly(int.from_bytes(header[2:4], "big"))
                answer = self.answer(header + body)
                if answer is not None:
                    writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            writer.close()

    def answer(self, data: bytes) -> bytes | None:
        question = stun.parse_message(data)
        self.methods.append(stun.Method(question.message_method).name)
        if self.silent:
            return None
        answer = stun.Message(question.message_method, stun.Class.RESPONSE, question.transaction_id)
        if question.message_method == stun.Method.BINDING:
            answer.attributes["XOR-MAPPED-ADDRESS"] = MAPPED
            return bytes(answer)
        key = turn.make_integrity_key(USERNAME, REALM, CREDENTIAL)
        if "MESSAGE-INTEGRITY" not in question.attributes or not question.check_message_integrity(key):
            answer.message_class = stun.Class.ERROR
            answer.attributes.update({"ERROR-CODE": (401, "Unauthorized"), "REALM": REALM, "NONCE": b"n"})
            return bytes(answer)
        if self.refuses is not None:
            answer.message_class = stun.Class.ERROR
            answer.attributes["ERROR-CODE"] = (self.refuses, "Kanariefågel")
            answer.add_message_integrity(key)
            return bytes(answer)
        answer.attributes["LIFETIME"] = 600
        if question.message_method == stun.Method.ALLOCATE:
            answer.attributes.update({"XOR-RELAYED-ADDRESS": RELAYED, "XOR-MAPPED-ADDRESS": MAPPED})
        answer.add_message_integrity(key)
        return bytes(answer)


@asynccontextmanager
async def fake_turn(*, silent: bool = False) -> AsyncIterator[FakeTurn]:
    """By UDP."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(
        lambda: FakeTurn(silent=silent), local_addr=("127.0.0.1", 0)
    )
    try:
        yield server
    finally:
        transport.close()


@asynccontextmanager
async def fake_turn_over_tcp(server: FakeTurn) -> AsyncIterator[int]:
    """The same by TCP; the port."""
    listening = await asyncio.start_server(server.serve_stream, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1]
