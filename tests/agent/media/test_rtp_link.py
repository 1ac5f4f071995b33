from __future__ import annotations

from agent.media.history import OutgoingPacket
from agent.media.pacer import BURST_BYTES_MAX, QUEUE_MAX_S
from agent.media.rtp_link import RtpLink
from agent.media.rtp_packet import extension_value, parse_rtp
from tests.agent.media.clock import StillLoop


def link(paced: bool = True) -> tuple[RtpLink, list, StillLoop]:
    loop, sent = StillLoop(), []

    def send(data: bytes) -> bool:
        sent.append((loop.now, parse_rtp(data)))
        return True

    return RtpLink(send, paced=paced, loop=loop), sent, loop


def packets(count: int, size: int = 1180) -> list[OutgoingPacket]:
    return [OutgoingPacket(96, n, 0, 1, bytes(size)) for n in range(count)]


def test_an_ordinary_frame_leaves_at_once() -> None:
    out, sent, loop = link()
    out.send_paced(packets(9))
    assert {at for at, _ in sent} == {loop.now}
    assert len(sent) == 9


def test_a_keyframe_is_spread_in_order_while_sound_overtakes_it() -> None:
    out, sent, loop = link()
    out.pacer.set_bit_rate(2_000_000)  # 5 Mbit/s pace, 625 bytes a millisecond
    start = loop.now
    out.send_paced(packets(60))
    assert sum(len(p.payload) for _, p in sent) <= BURST_BYTES_MAX + 1180
    out.send_now(OutgoingPacket(97, 7, 0, 2, b"sound"))
    assert sent[-1][1].payload == b"sound"
    loop.advance(0.2)
    pictures = [(at, p) for at, p in sent if p.ssrc == 1]
    assert [p.sequence_number for _, p in pictures] == list(range(60))
    assert 0.07 < pictures[-1][0] - start < 0.12
    per_tick = [sum(at == tick for at, _ in pictures) for tick in {at for at, _ in pictures} if tick != start]
    assert max(per_tick) <= 5


def test_pictures_wait_while_too_much_is_on_its_way_and_old_ones_are_thrown_away() -> None:
    out, sent, loop = link()
    dropped = []
    out.pacer.may_send, out.pacer.on_dropped = (lambda: False), dropped.append
    out.send_paced(packets(3))
    loop.advance(QUEUE_MAX_S / 2)
    out.send_paced(packets(3))
    assert (sent, dropped, out.queue_s) == ([], [], QUEUE_MAX_S / 2)
    loop.advance(QUEUE_MAX_S)
    out.send_paced(packets(2))
    assert dropped == [loop.now]
    out.pacer.may_send = lambda: True
    loop.advance(0.1)
    assert len(sent) == 2
    assert out.queue_s == 0.0


def test_repeats_go_before_pictures_and_too_many_make_a_keyframe_cheaper() -> None:
    out, sent, loop = link()
    dropped = []
    out.pacer.on_dropped = dropped.append
    out.pacer.set_bit_rate(400_000)
    out.send_paced(packets(20))
    out.send_repeat(OutgoingPacket(97, 7, 0, 2, b"again"))
    before = len(sent)
    loop.advance(0.05)
    assert sent[before][1].payload == b"again"
    for _ in range(40):
        out.send_repeat(OutgoingPacket(97, 7, 0, 2, bytes(1000)))
    assert dropped
    loop.advance(5)
    assert len(sent) < 45


def test_the_kiosk_is_not_paced() -> None:
    out, sent, _ = link(paced=False)
    out.send_paced(packets(200))
    assert len(sent) == 200


def test_running_numbers_grow_over_all_streams_and_send_time_stands_in() -> None:
    out, sent, _ = link()
    out.use_extensions(5, 3)
    out.send_now(packets(1)[0])
    out.send_now(OutgoingPacket(97, 7, 0, 2, b"sound"))
    assert [extension_value(p, 5) for _, p in sent] == [b"\x00\x01", b"\x00\x02"]
    assert extension_value(sent[0][1], 3) is None
    out.use_extensions(0, 3)
    out.send_now(packets(1)[0])
    assert extension_value(sent[-1][1], 3) == bytes([(1000 * (1 << 18)) >> s & 0xFF for s in (16, 8, 0)])


def test_playout_delay_is_said_beside_the_running_number_and_goes_on_being_said() -> None:
    out, sent, _ = link()
    out.use_extensions(5, 0)
    picture = packets(1)[0]
    out.use_playout_delay(picture.ssrc, 6)
    out.hold_back(picture.ssrc, 0)
    out.send_now(picture)
    assert extension_value(sent[-1][1], 6) is None
    for delay_ms, value in ((120, b"\x00\xc3\xe8"), (0, b"\x00\x03\xe8")):  # 12 and 0 steps, at most 1000
        out.hold_back(picture.ssrc, delay_ms)
        out.send_now(picture)
        assert extension_value(sent[-1][1], 6) == value
        assert extension_value(sent[-1][1], 5) == len(sent).to_bytes(2, "big")
        assert sent[-1][1].payload == picture.payload
    out.send_now(OutgoingPacket(97, 7, 0, 2, b"sound"))
    assert extension_value(sent[-1][1], 6) is None


def test_playout_delay_needs_no_other_extension_and_nothing_is_said_where_it_was_not_negotiated() -> None:
    out, sent, _ = link()
    picture = packets(1)[0]
    out.hold_back(picture.ssrc, 100)
    out.send_now(picture)
    out.use_playout_delay(picture.ssrc, 6)
    out.hold_back(picture.ssrc, 100)
    out.send_now(picture)
    assert [extension_value(p, 6) for _, p in sent] == [None, b"\x00\xa3\xe8"]
