from __future__ import annotations

from agent.media.history import MAX_AGE_S, MAX_RESENDS, OutgoingPacket, PacketHistory


def packet(sequence: int) -> OutgoingPacket:
    return OutgoingPacket(96, sequence & 0xFFFF, 0, 1, b"x")


def test_keeps_the_last_packets_across_the_wrap() -> None:
    history = PacketHistory(512)
    for sequence in range(65000, 65000 + 1000):
        history.add(packet(sequence), 1.0)
    assert history.resend((65000 + 999) & 0xFFFF, 1.1, 0.1) == packet(65999)
    assert history.resend((65000 + 488) & 0xFFFF, 1.1, 0.1) is not None
    assert history.resend(65000 + 487, 1.1, 0.1) is None


def test_one_packet_is_not_repeated_faster_than_the_round_trip_nor_for_ever() -> None:
    history = PacketHistory()
    history.add(packet(5), 0.0)
    assert history.resend(5, 0.01, 0.1)
    assert history.resend(5, 0.05, 0.1) is None
    times = [0.01 + 0.1 * n for n in range(1, 20)]
    assert sum(history.resend(5, t, 0.1) is not None for t in times) == MAX_RESENDS - 1


def test_old_pictures_are_not_repeated() -> None:
    history = PacketHistory()
    history.add(packet(5), 0.0)
    assert history.resend(5, MAX_AGE_S + 0.1, 0.1) is None
