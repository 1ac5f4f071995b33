"""Pins every private name that aiortc_internals uses, so that an upgrade that moves one fails here."""

from __future__ import annotations

import asyncio
import inspect
from types import SimpleNamespace

from aioice import ice, turn
from aiortc import RTCConfiguration, RTCPeerConnection, rtcpeerconnection
from aiortc.codecs import CODECS, HEADER_EXTENSIONS
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcsctptransport import InboundStream

from agent.media.aiortc_internals import MediaTransport, extend_capabilities, ssrcs
from agent.media.arrival import ArrivalClock
from agent.media.negotiation import TRANSPORT_CC


def run_with_connection(check) -> None:
    async def main() -> None:
        connection = RTCPeerConnection(RTCConfiguration([]))
        try:
            await check(connection, connection.addTransceiver("audio"))
        finally:
            await connection.close()

    asyncio.run(main())


def test_private_names_are_where_they_were() -> None:
    async def check(connection, transceiver) -> None:
        dtls = transceiver.receiver.transport
        assert dtls._rx_srtp is None
        assert dtls._tx_srtp is None
        assert isinstance(dtls.transport._connection, ice.Connection)
        assert dtls.transport._connection._nominated == {}
        assert dtls.transport._connection._protocols == []
        engine = dtls.transport._connection
        assert (engine._local_candidates, engine._remote_candidates, engine._check_list) == ([], [], [])
        assert (engine._closing, engine._check_list_done) == (False, False)
        assert all(isinstance(ssrc, int) for ssrc in ssrcs(transceiver))

        assert dtls.transport._connection._check_list == []
        assert dtls.transport._connection._remote_candidates == []
        connection.createDataChannel("x")
        sctp = connection.sctp
        assert sctp._inbound_streams == {}
        assert sctp._sack_misordered == set()
        assert inspect.iscoroutinefunction(sctp._receive_data_chunk)
        assert inspect.iscoroutinefunction(sctp._receive_forward_tsn_chunk)
        assert InboundStream().reassembly == []

    run_with_connection(check)
    assert inspect.iscoroutinefunction(RTCDtlsTransport._handle_rtp_data)
    assert inspect.iscoroutinefunction(RTCDtlsTransport._handle_rtcp_data)
    assert list(inspect.signature(ice.Connection.get_component_candidates).parameters) == [
        "self",
        "component",
        "addresses",
        "timeout",
    ]
    assert list(inspect.signature(ice.Connection._pair_remote_candidate).parameters) == [
        "self",
        "remote_candidate",
    ]
    assert inspect.iscoroutinefunction(turn.TurnTransport._connect)
    assert inspect.iscoroutinefunction(turn.TurnClientMixin.delete)
    assert "datagram_received" in vars(ice.StunProtocol)
    assert isinstance(ice.CandidatePair.remote_addr, property)
    source = inspect.getsource(rtcpeerconnection.RTCPeerConnection)
    assert "transceiver.sender.send(" in source
    assert "transceiver.receiver.receive(" in source
    assert source.count("ensure_future(self.__connect())") == 2
    assert inspect.iscoroutinefunction(rtcpeerconnection.RTCPeerConnection._RTCPeerConnection__connect)


def test_capabilities_are_added_once() -> None:
    extend_capabilities()
    extend_capabilities()
    for kind, extensions in HEADER_EXTENSIONS.items():
        assert [e.uri for e in extensions].count(TRANSPORT_CC) == 1, kind
        assert len({e.id for e in extensions}) == len(extensions)
    opus = next(c for c in CODECS["audio"] if c.name == "opus")
    assert opus.parameters["useinbandfec"] == 1
    h264 = next(c for c in CODECS["video"] if c.name == "H264")
    assert [f.type for f in h264.rtcpFeedback].count("transport-cc") == 1


def test_what_a_handler_raises_stays_out_of_the_socket() -> None:
    async def check(connection, transceiver) -> None:
        passed_on: list[bytes] = []

        def handler(data: bytes, arrived_at: float = 0.0) -> None:
            raise RuntimeError(data)

        class Session:
            unprotect = unprotect_rtcp = staticmethod(lambda data: data)

        transport = MediaTransport(connection, handler, handler)
        transport.dtls._rx_srtp = Session()
        transport.dtls.transport._connection._check_list.append(SimpleNamespace(remote_addr=("127.0.0.1", 9)))
        for first in (0x00, 0x16, 0x80):
            data = bytes([first, 96]) + bytes(20)
            transport._datagram_received(
                ArrivalClock(None), lambda d, a: passed_on.append(d), data, ("127.0.0.1", 9)
            )
        assert [data[0] for data in passed_on] == [0x00, 0x16]
        assert transport.bytes_received == 22
        assert not transport.send_rtp(bytes(20)), "not connected"
        transport.dtls.transport._connection._check_list.clear()

    run_with_connection(check)
