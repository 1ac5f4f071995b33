from __future__ import annotations

from agent.media.feedback import INTERVAL_MAX_S, SHARE, Feedback
from agent.media.rtcp import MaximumBitrate, build_maximum_bitrate, parse_compound
from agent.media.rtp_packet import ONE_BYTE_PROFILE, RtpPacket
from agent.media.transport_feedback import parse_feedback

RUNNING, STAMP = 4, 2


def packet(identifier: int, value: bytes) -> RtpPacket:
    extension = bytes([identifier << 4 | len(value) - 1]) + value
    return RtpPacket(0, 96, 1, 0, 1, bytes(1000), ONE_BYTE_PROFILE, extension)


def test_reports_come_more_seldom_on_a_thin_way_out() -> None:
    def octets_per_s(own_bit_rate: int) -> tuple[float, int]:
        feedback, sent, reports = Feedback(), 0, 0
        feedback.use(RUNNING, 0)
        for tick in range(400):
            now = 50 + tick * 0.025
            for each in range(6):  # a lot for what goes back: 2 Mbit/s come in
                feedback.add(packet(RUNNING, (tick * 6 + each & 0xFFFF).to_bytes(2, "big")), now + each / 300)
            body = feedback.due_report(now, own_bit_rate)
            if body is not None:
                parse_feedback(bytes(8) + body)
                sent, reports = sent + len(body) + 62, reports + 1
        return sent / 10, reports

    plenty, many = octets_per_s(2_500_000)
    thin, few = octets_per_s(150_000)
    assert many > 190
    assert 10 / INTERVAL_MAX_S - 2 <= few < many / 2
    assert plenty * 8 < SHARE * 2_500_000
    assert thin < plenty / 2


def test_a_sender_that_only_stamps_the_time_is_told_an_estimate_that_falls_with_its_line() -> None:
    feedback, told, free_at = Feedback(), [], 0.0
    feedback.use(0, STAMP)
    for count in range(3000):
        sent_at = 60 + count * 0.008  # 1 Mbit/s, over the wrap of the stamp at 64 s
        line = 3e6 if count < 1000 else 600e3
        free_at = max(free_at, sent_at) + 8000 / line
        if free_at - sent_at > 0.4:
            free_at -= 8000 / line
            continue
        stamp = (round(sent_at * (1 << 18)) & 0xFFFFFF).to_bytes(3, "big")
        feedback.add(packet(STAMP, stamp), free_at)
        estimate = feedback.due_estimate(free_at)
        if estimate is not None:
            told.append((free_at, estimate))
    assert max(rate for at, rate in told if at < 68) >= 1_400_000
    assert min(rate for at, rate in told if at < 68) > 1_000_000
    assert min(rate for at, rate in told if 68 < at < 72) < 600_000
    assert feedback.due_report(100.0, None) is None


def test_who_has_transport_feedback_is_told_no_estimate() -> None:
    feedback = Feedback()
    feedback.use(RUNNING, STAMP)
    feedback.add(packet(STAMP, bytes(3)), 1.0)
    assert feedback.due_estimate(2.0) is None


def test_an_estimate_is_read_as_it_was_written() -> None:
    for bit_rate in (0, 150_000, 262_143, 2_500_000, 40_000_000):
        (read,) = parse_compound(build_maximum_bitrate(1, bit_rate, (5, 6)))
        assert isinstance(read, MaximumBitrate)
        assert read.ssrcs == (5, 6)
        assert bit_rate * 0.9999 <= read.bit_rate <= bit_rate
