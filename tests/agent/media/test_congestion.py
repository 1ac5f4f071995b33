from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.media.congestion import MAX_BIT_RATE, MIN_BIT_RATE, START_BIT_RATE, CongestionController
from agent.media.transport_feedback import PacketResult


def test_remb_and_reported_loss_count_only_without_transport_feedback() -> None:
    old = CongestionController()
    old.on_remb(700_000)
    assert old.bit_rate == 700_000
    for second in range(20):
        old.on_loss(0.3, float(second))
    assert old.bit_rate < 700_000
    new = CongestionController()
    new.on_feedback([PacketResult(0.0, 0.02, 1200)], 0.05)
    before = new.bit_rate
    new.on_remb(200_000)
    new.on_loss(0.5, 200.0)
    assert new.bit_rate == before


def test_a_receiver_that_falls_silent_gets_less_and_pictures_do_not_wait_for_it() -> None:
    controller = CongestionController()
    controller.on_feedback([PacketResult(0.0, 0.02, 1200)], 0.05, bytes_in_flight=500_000)
    assert not controller.may_send(0.1)
    for tick in range(400):
        controller.tick(0.1 + tick * 0.025)
    assert controller.bit_rate == MIN_BIT_RATE
    assert controller.may_send(10.0)


def test_a_line_that_comes_back_is_taken_up_at_half_of_what_it_carried() -> None:
    controller = CongestionController(2_000_000)
    controller.on_feedback([PacketResult(0.0, 0.02, 1200)], 0.05)
    for tick in range(1000):
        controller.tick(0.1 + tick * 0.025)
    assert (controller.bit_rate, controller.known_bit_rate) == (MIN_BIT_RATE, 2_000_000)
    controller.on_feedback([PacketResult(25.0, 25.02, 1200)], 25.2)
    assert 1_000_000 <= controller.bit_rate < 1_100_000


def test_one_who_never_reported_is_not_taken_for_silent() -> None:
    controller = CongestionController()
    for tick in range(400):
        controller.tick(tick * 0.025)
    assert controller.bit_rate == START_BIT_RATE


@given(
    st.lists(
        st.lists(
            st.tuples(st.floats(0, 1e6), st.one_of(st.none(), st.floats(-1e9, 1e9)), st.integers(0, 1500)),
            max_size=10,
        ),
        max_size=10,
    )
)
def test_whatever_is_reported_the_estimate_keeps_its_bounds(reports: list) -> None:
    controller = CongestionController()
    for index, results in enumerate(reports):
        controller.on_feedback([PacketResult(*r) for r in results], index * 0.1)
        controller.tick(index * 0.1)
        assert MIN_BIT_RATE <= controller.bit_rate <= MAX_BIT_RATE
