"""The only file that touches private names of aiortc 1.16 and aioice 0.13.

aiortc gives SDP, ICE, DTLS, SCTP and the SRTP sessions. Its senders and receivers never start: RTP and RTCP
are taken from the socket's callback and put on the socket directly, without a task or a queue for a packet.
tests/agent/media/test_aiortc_internals.py pins each name used here.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pylibsrtp
from aioice import Candidate, ice, stun, turn
from aiortc import RTCPeerConnection
from aiortc.codecs import CODECS, HEADER_EXTENSIONS
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpparameters import RTCRtcpFeedback, RTCRtpHeaderExtensionParameters
from aiortc.rtcrtptransceiver import RTCRtpTransceiver
from aiortc.rtcsctptransport import DataChunk, RTCSctpTransport

from agent.media.admission import DATAGRAM_BYTES_MAX, Admission, Flood
from agent.media.allowance import Allowance
from agent.media.arrival import ArrivalClock
from agent.media.media_socket import is_host_address
from agent.media.negotiation import ABSOLUTE_SEND_TIME, AUDIO_LEVEL, PLAYOUT_DELAY, TRANSPORT_CC

logger = logging.getLogger(__name__)

RtpHandler = Callable[[bytes, float], None]  # the packet, and when it came
RtcpHandler = Callable[[bytes], None]
# Chromium begins at 300 kbit/s otherwise, which shows the clinician at half size for the first half minute.
START_KBIT_PER_S = 1500
LOOPBACK = "127.0.0.1"
TURN_DELETE_TIMEOUT_S = 1.0
_FIRST_SRTP, _LAST_SRTP = 128, 191  # RFC 7983: the first byte tells SRTP from STUN, DTLS and TURN
_FIRST_RTCP, _LAST_RTCP = 192, 223  # RFC 5761: the second byte tells RTCP from RTP
# The data channel carries chat and small states. More than this waits at the sender, unacknowledged.
DATA_BYTES_PER_S, DATA_BYTES_BURST = 64_000, 256_000
DATA_CHUNK_COST_BYTES = 256  # what a chunk of one byte costs us to keep
DATA_CHUNKS_MAX = 64  # of a message whose end has not come: ours are at most 16 KiB, which are 15
DATA_CHUNKS_AHEAD_MAX = 256  # beyond a hole
DATA_STREAMS_MAX = 16
SENDERS_MAX = 64  # SSRCs that were heard on a connection: SRTP keeps a state for each, for ever, in one list
_EXTENSIONS = {
    "audio": ((2, AUDIO_LEVEL), (4, TRANSPORT_CC)),
    "video": ((3, ABSOLUTE_SEND_TIME), (4, TRANSPORT_CC), (5, PLAYOUT_DELAY)),
}


def extend_capabilities() -> None:
    """Let aiortc negotiate what our own streams do: transport-wide feedback, FIR, Opus with in-band FEC."""
    for kind, codecs in CODECS.items():
        for codec in codecs:
            name = codec.name.lower()
            wanted = [] if name == "rtx" else [RTCRtcpFeedback("transport-cc")]
            if kind == "video" and wanted:
                wanted.append(RTCRtcpFeedback("ccm", "fir"))
            codec.rtcpFeedback += [feedback for feedback in wanted if feedback not in codec.rtcpFeedback]
            if name == "opus":
                codec.parameters.update({"minptime": 10, "useinbandfec": 1})
            elif wanted:
                codec.parameters["x-google-start-bitrate"] = START_KBIT_PER_S
        known = {extension.uri for extension in HEADER_EXTENSIONS[kind]}
        HEADER_EXTENSIONS[kind] += [
            RTCRtpHeaderExtensionParameters(id=identifier, uri=uri)
            for identifier, uri in _EXTENSIONS[kind]
            if uri not in known
        ]


def host_addresses() -> list[str]:
    """This machine's addresses at which others may reach it."""
    return [each for each in ice.get_host_addresses(use_ipv4=True, use_ipv6=True) if is_host_address(each)]


class IceEngine:
    """The ICE of one bundled connection, which gathers as we tell it and takes candidates that come later.

    The engine itself would use one STUN and one TURN server, wait for them for 5 s, and knows no local trickle.
    """

    def __init__(self, connection: RTCPeerConnection) -> None:
        self._engine: Any = _transports(connection)[0].transport._connection
        self._on_protocol: Callable[[ice.StunProtocol], None] = lambda protocol: None

    def gather_with(self, gather: Callable[[], Awaitable[list[Candidate]]]) -> None:
        """What setLocalDescription waits for; its candidates are in the description."""

        async def instead(component: int, addresses: list[str], timeout: int = 5) -> list[Candidate]:  # noqa: ASYNC109
            return await gather()

        self._engine.get_component_candidates = instead

    def new_protocol(self) -> ice.StunProtocol:
        """What reads one socket of this connection."""
        return ice.StunProtocol(self._engine)

    def add_protocol(self, protocol: ice.StunProtocol) -> None:
        """Let checks and media go over this protocol, which has its local candidate."""
        self._engine._protocols.append(protocol)
        self._on_protocol(protocol)

    def add_late(self, candidate: Candidate) -> None:
        """A candidate found after the description was made, whose protocol is known: check it too."""
        engine = self._engine
        engine._local_candidates.append(candidate)
        for remote in engine._remote_candidates:
            engine._pair_remote_candidate(remote)
        engine.sort_check_list()

    @property
    def protocols(self) -> list[ice.StunProtocol]:
        return list(self._engine._protocols)

    def on_protocol(self, callback: Callable[[ice.StunProtocol], None]) -> None:
        """Call this for every protocol, those that are there now included."""
        self._on_protocol = callback
        for protocol in self.protocols:
            callback(protocol)

    @property
    def takes_candidates(self) -> bool:
        """Whether there is any use in more candidates: not once a way was found, or all is closed."""
        return not (self._engine._closing or self._engine._check_list_done)

    @property
    def route(self) -> tuple[Candidate, Candidate] | None:
        """The local and remote candidate that media takes."""
        pair = self._engine._nominated.get(1)
        return (pair.local_candidate, pair.remote_candidate) if pair is not None else None


class TurnOverUdp(turn.TurnClientUdpProtocol):
    """TURN over UDP, on a socket that is connected to the server."""

    async def delete(self) -> None:
        """Give the relayed address back; a server that is gone must not keep us for a minute."""
        with suppress(TimeoutError):
            await asyncio.wait_for(super().delete(), TURN_DELETE_TIMEOUT_S)


class TurnOverStream(turn.TurnClientTcpProtocol):
    """TURN over TCP or TLS."""

    async def delete(self) -> None:
        """As TurnOverUdp's."""
        with suppress(TimeoutError):
            await asyncio.wait_for(super().delete(), TURN_DELETE_TIMEOUT_S)
        self.transport.abort()  # a closed TCP connection would try to send what is left for minutes


async def allocate(
    client: TurnOverUdp | TurnOverStream, protocol: asyncio.DatagramProtocol
) -> turn.TurnTransport:
    """Get a relayed address from the server for this protocol, whose transport it becomes.

    Raises stun.TransactionError; the refusal's STUN code is its response's.
    """
    transport = turn.TurnTransport(client)
    await transport._connect(protocol)
    return transport


def stun_error_code(error: BaseException) -> int | None:
    """The code with which a STUN or TURN server refused."""
    return error.response.error_code if isinstance(error, stun.TransactionFailed) else None


def ssrcs(transceiver: RTCRtpTransceiver) -> tuple[int, int]:
    """The SSRCs, of media and of RTX, that our descriptions announce for this transceiver's sender."""
    return transceiver.sender._ssrc, transceiver.sender._rtx_ssrc


def _transports(connection: RTCPeerConnection) -> list[RTCDtlsTransport]:
    transports = [transceiver.receiver.transport for transceiver in connection.getTransceivers()]
    if connection.sctp is not None:
        transports.append(connection.sctp.transport)
    return list(dict.fromkeys(transports))


class MediaTransport:
    """Decrypted RTP and RTCP of one bundled connection, both ways, without aiortc's senders and receivers.

    Make it once all transceivers exist, and call take_over() after setLocalDescription.
    """

    def __init__(
        self,
        connection: RTCPeerConnection,
        on_rtp: RtpHandler,
        on_rtcp: RtcpHandler,
        on_flood: Callable[[Flood], None] = lambda _kind: None,
    ) -> None:
        self._connection = connection
        self._on_rtp = on_rtp
        self._on_rtcp = on_rtcp
        self._dtls = _transports(connection)[0]
        self.ice = IceEngine(connection)
        self._engine: Any = self._dtls.transport._connection
        self._admission = Admission(on_flood)
        self._sources: set[tuple[str, int]] = set()
        self._pairs_seen = 0
        self._fault_told = False
        self._senders: set[bytes] = set()
        self.bytes_received = 0
        self.closed = False
        if connection.sctp is not None:
            _guard_data(connection.sctp, partial(self._admission.flood, "data channel"))

    @property
    def dtls(self) -> RTCDtlsTransport:
        return self._dtls

    def silence_aiortc(self) -> None:
        """Keep aiortc's own sender and receiver loops from ever starting; before the other side's answer."""
        for transceiver in self._connection.getTransceivers():
            sender: Any = transceiver.sender
            receiver: Any = transceiver.receiver
            sender.send = _do_nothing
            receiver.receive = _do_nothing

    def take_over(self) -> None:
        """Put ourselves between the gathered sockets and aiortc."""
        self.ice.on_protocol(self._take_over_protocol)
        dtls: Any = self._dtls
        dtls._handle_rtp_data = _do_nothing
        dtls._handle_rtcp_data = _do_nothing

    def _take_over_protocol(self, protocol: Any) -> None:  # noqa: ANN401 - aioice's, with a method replaced
        socket = protocol.transport.get_extra_info("socket")
        clock = ArrivalClock(socket.fileno() if socket is not None else None)
        protocol.datagram_received = partial(self._datagram_received, clock, protocol.datagram_received)

    def _datagram_received(
        self,
        clock: ArrivalClock,
        pass_on: Callable[[bytes, tuple[str, int]], None],
        data: bytes,
        address: tuple[str, int],
    ) -> None:
        if not data or self.closed:
            return
        now = time.monotonic()
        if not _FIRST_SRTP <= data[0] <= _LAST_SRTP:
            known, places = self._is_known(address), len(self._engine._remote_candidates)
            if self._admission.signal(data, now, known=known, places=places):
                pass_on(data, address)
            return
        session = self._dtls._rx_srtp
        if session is None or not 12 <= len(data) <= DATAGRAM_BYTES_MAX:
            return
        self.bytes_received += len(data)
        is_rtcp = _FIRST_RTCP <= data[1] <= _LAST_RTCP
        sender = data[4:8] if is_rtcp else data[8:12]
        if sender not in self._senders and len(self._senders) >= SENDERS_MAX:
            return
        try:
            packet = session.unprotect_rtcp(data) if is_rtcp else session.unprotect(data)
            self._senders.add(sender)
            if is_rtcp and self._admission.rtcp(now):
                self._on_rtcp(packet)
            elif not is_rtcp and self._admission.rtp(now):
                self._on_rtp(packet, clock.now())
        except pylibsrtp.Error:
            return  # forged, repeated, or from before a rebuild
        except Exception:
            # Whatever one party sends must not reach the socket's callback, which would end its transport.
            # Told once: a party that found a fault of ours must not fill the log with it.
            if not self._fault_told:
                self._fault_told = True
                logger.exception("A media packet could not be handled; it was dropped")

    def _is_known(self, address: tuple[str, int]) -> bool:
        pairs = self._engine._check_list
        if len(pairs) != self._pairs_seen:
            self._pairs_seen = len(pairs)
            self._sources = {pair.remote_addr for pair in pairs}
        return (address[0], address[1]) in self._sources

    def send_rtp(self, data: bytes) -> bool:
        """Encrypt and send at once; False if the connection is not up (any more)."""
        return self._send(data, is_rtcp=False)

    def send_rtcp(self, data: bytes) -> bool:
        """As send_rtp, for a compound RTCP packet."""
        return self._send(data, is_rtcp=True)

    def _send(self, data: bytes, *, is_rtcp: bool) -> bool:
        session = self._dtls._tx_srtp
        pair = self._engine._nominated.get(1)
        if session is None or pair is None or self.closed:
            return False
        try:
            secured = session.protect_rtcp(data) if is_rtcp else session.protect(data)
        except pylibsrtp.Error:
            return False
        pair.protocol.transport.sendto(secured, pair.remote_addr)
        return True


class Connecting:
    """The engine's making of one connection, in tasks of its own of which it keeps no hold.

    One that a close overtakes would go on with transports that are closed, and end by an InvalidStateError that
    nobody takes. Make it before the first description.
    """

    def __init__(self, connection: RTCPeerConnection) -> None:
        self._connection = connection
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ended = False
        engine: Any = connection
        self._connect: Callable[[], Awaitable[None]] = engine._RTCPeerConnection__connect
        engine._RTCPeerConnection__connect = self._run

    async def _run(self) -> None:
        task = asyncio.current_task()
        if self._ended or task is None:
            return
        self._tasks.add(task)
        try:
            await self._connect()
        except Exception as error:
            # The other side may have closed it meanwhile; who waits for one that never comes has a limit.
            if self._connection.signalingState != "closed":
                logger.warning("A connection could not be made (%s)", type(error).__name__)
        finally:
            self._tasks.discard(task)

    async def end(self) -> None:
        """Break off what is going on, before the connection is closed."""
        self._ended = True
        going_on = list(self._tasks)
        for task in going_on:
            task.cancel()
        await asyncio.gather(*going_on, return_exceptions=True)


def _guard_data(transport: RTCSctpTransport, on_flood: Callable[[], None]) -> None:
    """Bound what a data channel's sender can have us keep: the engine takes in whatever comes."""
    sctp: Any = transport
    receive = sctp._receive_data_chunk
    allowance = Allowance(DATA_BYTES_PER_S, DATA_BYTES_BURST)

    async def guarded(chunk: DataChunk) -> None:
        if not allowance.take(time.monotonic(), len(chunk.user_data) + DATA_CHUNK_COST_BYTES):
            if allowance.flooded:
                on_flood()
            return  # unacknowledged, it comes again (RFC 9260 section 6.3)
        streams = sctp._inbound_streams
        stream = streams.get(chunk.stream_id)
        if (
            (stream is None and len(streams) >= DATA_STREAMS_MAX)
            or (stream is not None and len(stream.reassembly) >= DATA_CHUNKS_MAX)
            or len(sctp._sack_misordered) > DATA_CHUNKS_AHEAD_MAX
        ):
            on_flood()
            return
        await receive(chunk)

    sctp._receive_data_chunk = guarded
    # Of partial reliability (RFC 3758), which our channel does not have; each may name hundreds of streams.
    sctp._receive_forward_tsn_chunk = _do_nothing


async def _do_nothing(*_arguments: object, **_named: object) -> None:
    return None
