"""Ask one STUN or TURN server whether it is there, without credentials (RFC 8489, RFC 8656).

A STUN server answers a Binding request. A TURN server answers an Allocate request without credentials with
401, which shows that it is one, costs it nothing and holds nothing there.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

from aioice import stun

from agent.media.ice_url import IceUrl, Transport

TlsContext = Callable[[], Awaitable[ssl.SSLContext]]
RESEND_S = 0.1
"""A lost question should not make a living server look dead; RFC 8489's own 500 ms would."""
UDP_QUESTIONS = 3
TIMEOUT_S = 2.0
_REQUESTED_UDP = 17 << 24  # RFC 8656, section 18.8: the protocol number in the first byte
_HEADER_BYTES = 20


async def resolve(url: IceUrl) -> str:
    """The server's address, of the kind that the system puts first; OSError if its name is not known."""
    kind = socket.SOCK_DGRAM if url.transport is Transport.UDP else socket.SOCK_STREAM
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(url.host, url.port, type=kind)
    return str(found[0][4][0])


async def probe(url: IceUrl, tls: TlsContext) -> str:
    """The address at which the server has answered. OSError (TimeoutError is one) if it has not."""
    async with asyncio.timeout(TIMEOUT_S):
        address = await resolve(url)
        question = _question(url)
        if url.transport is Transport.UDP:
            await _ask_by_udp(address, url.port, question)
        else:
            await _ask_by_tcp(address, url, question, tls)
    return address


def _question(url: IceUrl) -> stun.Message:
    method = stun.Method.BINDING if url.kind == "stun" else stun.Method.ALLOCATE
    message = stun.Message(message_method=method, message_class=stun.Class.REQUEST)
    if url.kind == "turn":
        message.attributes["REQUESTED-TRANSPORT"] = _REQUESTED_UDP
    return message


def _answers(data: bytes, question: stun.Message) -> bool:
    try:
        message = stun.parse_message(data)
    except ValueError:
        return False
    return message.transaction_id == question.transaction_id and message.message_class in (
        stun.Class.RESPONSE,
        stun.Class.ERROR,
    )


class _Asking(asyncio.DatagramProtocol):
    def __init__(self, question: stun.Message) -> None:
        self._question = question
        self.answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, _address: Any) -> None:  # noqa: ANN401 - asyncio's own
        if not self.answered.done() and _answers(data, self._question):
            self.answered.set_result(None)

    def error_received(self, error: Exception) -> None:
        # The system tells of an unreachable port or host at once; nobody need wait for the timeout.
        if not self.answered.done():
            self.answered.set_exception(error)


async def _ask_by_udp(address: str, port: int, question: stun.Message) -> None:
    loop = asyncio.get_running_loop()
    transport, asking = await loop.create_datagram_endpoint(
        lambda: _Asking(question), remote_addr=(address, port)
    )
    try:
        for _ in range(UDP_QUESTIONS):
            transport.sendto(bytes(question))
            await asyncio.wait([asking.answered], timeout=RESEND_S)
            if asking.answered.done():
                break
        await asking.answered
    finally:
        transport.close()


async def _ask_by_tcp(address: str, url: IceUrl, question: stun.Message, tls: TlsContext) -> None:
    secure: dict[str, Any] = {}
    if url.transport is Transport.TLS:
        secure = {"ssl": await tls(), "server_hostname": url.host}
    reader, writer = await asyncio.open_connection(address, url.port, **secure)
    try:
        writer.write(bytes(question))
        header = await reader.readexactly(_HEADER_BYTES)
        body = await reader.readexactly(int.from_bytes(header[2:4], "big"))
        if not _answers(header + body, question):
            raise ConnectionError("what listens there is no STUN or TURN server")
    except asyncio.IncompleteReadError as error:
        raise ConnectionError("the server hung up") from error
    finally:
        writer.close()
