from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.media.admission import DATAGRAM_BYTES_MAX, REMOTE_PLACES_MAX, RTP_BURST, Admission

STUN, DTLS = b"\x00\x01" + bytes(18), b"\x16\xfe\xfd" + bytes(10)


def signal(
    admission: Admission, data: bytes, now: float = 0.0, *, known: bool = True, places: int = 1
) -> bool:
    return admission.signal(data, now, known=known, places=places)


@pytest.mark.parametrize(
    ("data", "known", "places", "admitted"),
    [
        (STUN, True, 1, True),
        (STUN, False, 1, True),
        (STUN, True, REMOTE_PLACES_MAX, True),
        (STUN, False, REMOTE_PLACES_MAX, False),
        (STUN + bytes(DATAGRAM_BYTES_MAX), True, 1, False),
        (b"\x00", True, 1, False),
        (DTLS, True, 1, True),
        (DTLS, False, 1, False),
        (b"\x40" + bytes(30), True, 1, False),
        (b"\xff", True, 1, False),
    ],
)
def test_what_is_passed_on_to_the_engine(data: bytes, known: bool, places: int, admitted: bool) -> None:
    assert signal(Admission(lambda _kind: None), data, known=known, places=places) is admitted


def test_strangers_cannot_use_up_what_the_party_needs() -> None:
    admission = Admission(lambda _kind: None)
    strangers = sum(signal(admission, STUN, known=False) for _ in range(10_000))
    assert strangers <= 100
    assert signal(admission, STUN)
    assert admission.refused == 10_000 - strangers


def test_authenticated_floods_are_told_once_and_unauthenticated_ones_blame_nobody() -> None:
    told: list[str] = []
    admission = Admission(told.append)
    for _ in range(10_000):
        signal(admission, DTLS)
        signal(admission, STUN)
    assert told == []
    assert sum(admission.rtp(0.0) for _ in range(10_000)) == RTP_BURST
    for _ in range(10_000):
        admission.rtcp(0.0)
    assert told == ["RTP"]


def test_a_browser_s_rates_are_never_refused() -> None:
    admission = Admission(lambda _kind: pytest.fail("no flood"))
    for tick in range(1000):  # 10 s: 300 RTP and 100 RTCP packets, 20 checks a second, a keyframe each second
        now = tick / 100
        assert all(admission.rtp(now) for _ in range(153 if tick % 100 == 0 else 3))
        assert admission.rtcp(now)
        assert tick % 5 or signal(admission, STUN, now)
    assert admission.refused == 0


@given(st.binary(min_size=1, max_size=40), st.booleans())
def test_any_bytes_get_an_answer(data: bytes, known: bool) -> None:
    assert signal(Admission(lambda _kind: None), data, known=known) in (True, False)
