"""The only file that touches private names of aiortc 1.16 and aioice 0.13.

aiortc gives SDP, ICE, DTLS, SCTP and the SRTP sessions. Its senders and receivers never start: RTP and RTCP
are taken from the socket's callback and put on the socket directly, without a task or a queue for a packet.
tests/agent/media/test_aiortc_internals.py pins each name used here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pylibsrtp
from aioice import ice
from aiortc import RTCPeerConnection
from aiortc.codecs import CODECS, HEADER_EXTENSIONS
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpparameters import RTCRtcpFeedback, RTCRtpHeaderExtensionParameters
from aiortc.rtcrtptransceiver import RTCRtpTransceiver

from agent.media.arrival import ArrivalClock
from agent.media.negotiation import ABSOLUTE_SEND_TIME, AUDIO_LEVEL, TRANSPORT_CC

logger = logging.getLogger(__name__)

RtpHandler = Callable[[bytes, float], None]  # the packet, and when it came
RtcpHandler = Callable[[bytes], None]
# Chromium begins at 300 kbit/s otherwise, which shows the clinician at half size for the first half minute.
START_KBIT_PER_S = 1500
LOOPBACK = "127.0.0.1"
_FIRST_SRTP, _LAST_SRTP = 128, 191  # RFC 7983: the first byte tells SRTP from STUN, DTLS and TURN
_FIRST_RTCP, _LAST_RTCP = 192, 223  # RFC 5761: the second byte tells RTCP from RTP
_EXTENSIONS = {
    "audio": ((2, AUDIO_LEVEL), (4, TRANSPORT_CC)),
    "video": ((3, ABSOLUTE_SEND_TIME), (4, TRANSPORT_CC)),
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
    """This machine's addresses but for loopback, as ICE would gather them."""
    return ice.get_host_addresses(use_ipv4=True, use_ipv6=True)


def gather_only(connection: RTCPeerConnection, addresses: Sequence[str]) -> None:
    """Make the connection gather host candidates on these addresses alone; before setLocalDescription."""
    for dtls in _transports(connection):
        engine: Any = dtls.transport._connection
        engine.get_component_candidates = partial(_component_candidates, engine, list(addresses))


async def _component_candidates(
    engine: ice.Connection,
    chosen: list[str],
    component: int,
    addresses: list[str],
    timeout: int = 5,  # noqa: ASYNC109 - aioice's own signature
) -> list[Any]:
    relay_only = engine._transport_policy is ice.TransportPolicy.RELAY
    hosts = [] if relay_only else chosen
    return await ice.Connection.get_component_candidates(engine, component, hosts, timeout)


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

    def __init__(self, connection: RTCPeerConnection, on_rtp: RtpHandler, on_rtcp: RtcpHandler) -> None:
        self._connection = connection
        self._on_rtp = on_rtp
        self._on_rtcp = on_rtcp
        self._dtls = _transports(connection)[0]
        self._engine: Any = self._dtls.transport._connection
        self.bytes_received = 0
        self.closed = False

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
        for protocol in self._engine._protocols:
            socket = protocol.transport.get_extra_info("socket")
            clock = ArrivalClock(socket.fileno() if socket is not None else None)
            protocol.datagram_received = partial(self._datagram_received, clock, protocol.datagram_received)
        dtls: Any = self._dtls
        dtls._handle_rtp_data = _do_nothing
        dtls._handle_rtcp_data = _do_nothing

    def _datagram_received(
        self,
        clock: ArrivalClock,
        pass_on: Callable[[bytes, tuple[str, int]], None],
        data: bytes,
        address: tuple[str, int],
    ) -> None:
        if not data:
            return
        if not _FIRST_SRTP <= data[0] <= _LAST_SRTP:
            pass_on(data, address)
            return
        session = self._dtls._rx_srtp
        if session is None or self.closed or len(data) < 12:
            return
        self.bytes_received += len(data)
        try:
            if _FIRST_RTCP <= data[1] <= _LAST_RTCP:
                self._on_rtcp(session.unprotect_rtcp(data))
            else:
                self._on_rtp(session.unprotect(data), clock.now())
        except pylibsrtp.Error:
            return  # forged, repeated, or from before a rebuild
        except Exception:
            # Whatever one party sends must not reach the socket's callback, which would end its transport.
            logger.exception("A media packet could not be handled; it was dropped")

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


async def _do_nothing(*_arguments: object, **_named: object) -> None:
    return None
