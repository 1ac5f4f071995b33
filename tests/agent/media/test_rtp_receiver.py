from __future__ import annotations

from agent.media.rtcp import SenderReport
from agent.media.rtp_packet import RtpPacket
from agent.media.rtp_receiver import IncomingStream


def packet(sequence: int, timestamp: int = 0) -> RtpPacket:
    return RtpPacket(0, 96, sequence & 0xFFFF, timestamp, 7, b"abc")


def test_loss_is_reported_once_and_mended_by_what_is_recovered() -> None:
    stream = IncomingStream(7, 90000, repairable=True)
    for sequence in (65534, 65535, 1):
        stream.receive(packet(sequence), 0.0, 0.0, repeated=False)
    block = stream.report(1.0)
    assert (block.fraction_lost, block.packets_lost, block.highest_sequence) == (64, 1, 65537)
    assert stream.receive(packet(0), 1.0, 1.0, repeated=True) == []
    assert (stream.report(2.0).packets_lost, stream.recovered) == (0, 1)


def test_duplicates_are_told_from_the_new() -> None:
    stream = IncomingStream(7, 90000, repairable=True)
    assert stream.receive(packet(5), 0.0, 0.0, repeated=False) == []
    assert stream.receive(packet(5), 0.0, 0.0, repeated=True) is None
    assert stream.receive(packet(8), 0.0, 0.0, repeated=False) == [6, 7]
    assert stream.receive(packet(8 + 4096), 0.0, 0.0, repeated=False) is not None
    assert stream.receive(packet(7), 0.0, 0.0, repeated=True) is None, "far older than any repeat can be"
    assert stream.duplicates == 2


def test_jitter_and_the_delay_since_a_sender_report() -> None:
    stream = IncomingStream(7, 1000, repairable=False)
    stream.on_sender_report(SenderReport(7, 0x0000_0001_8000_0000, 0, 0, 0), 10.0)
    for index in range(200):
        at = 10.0 + index * 0.02 + 0.008 * (index % 2)
        stream.receive(packet(index, index * 20), at, at, repeated=False)
    block = stream.report(14.0)
    assert 7 <= block.jitter <= 8
    assert (block.last_sender_report, block.delay_since_last_sender_report) == (0x0001_8000, 4 * 65536)
