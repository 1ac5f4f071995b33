"""A larger thing over a data channel: never faster than the media beside it bears, and given up when it must."""

from __future__ import annotations

import asyncio

from agent.media import blob
from agent.media.blob import FALL, MAX_BIT_RATE, MIN_BIT_RATE, PIECE_BYTES, BlobPace, send_blob


class Channel:
    """Takes what it is given, and drains so many bytes each time it is asked how much waits."""

    def __init__(self, drains: int = 1 << 30) -> None:
        self.readyState = "open"
        self.drains = drains
        self.sent: list[bytes] = []
        self.most = 0
        self._buffered = 0

    @property
    def bufferedAmount(self) -> int:
        self._buffered = max(0, self._buffered - self.drains)
        return self._buffered

    def send(self, piece: bytes) -> None:
        self.sent.append(piece)
        self._buffered += len(piece)
        self.most = max(self.most, self._buffered)


def test_the_pace_grows_on_a_free_line_and_falls_when_the_media_beside_it_suffers() -> None:
    pace = BlobPace(2_000_000, 0.0)
    assert pace.bit_rate == 1_000_000
    for step in range(1, 11):
        pace.update(2_000_000, False, step / 10)
    assert 1_400_000 < pace.bit_rate < 1_600_000
    before = pace.bit_rate
    pace.update(1_500_000, False, 1.1)
    assert pace.bit_rate == FALL * before
    pace.update(1_400_000, True, 1.2)
    assert pace.bit_rate == FALL * before  # the last fall has not been seen yet
    for step in range(200):
        pace.update(1_400_000, True, 2.0 + step)
    assert pace.bit_rate == MIN_BIT_RATE
    for step in range(200):
        pace.update(1_400_000, False, 300.0 + step)
    assert pace.bit_rate == MAX_BIT_RATE


def test_all_of_it_goes_in_order_and_little_waits_in_the_channel() -> None:
    data = bytes(range(256)) * 1024
    channel = Channel(drains=8 * 1024)
    assert asyncio.run(send_blob(channel, data, lambda: (50_000_000, False)))
    assert b"".join(channel.sent) == data
    assert max(len(piece) for piece in channel.sent) == PIECE_BYTES
    assert channel.most <= blob.BUFFERED_BYTES_MAX + PIECE_BYTES


def test_it_is_given_up_when_the_channel_closes_or_nothing_moves(monkeypatch) -> None:
    closed = Channel()
    closed.readyState = "closed"
    assert not asyncio.run(send_blob(closed, b"x", lambda: (1_000_000, False)))
    monkeypatch.setattr(blob, "TIMEOUT_S", 0.05)
    assert not asyncio.run(send_blob(Channel(drains=0), bytes(200_000), lambda: (50_000_000, False)))
