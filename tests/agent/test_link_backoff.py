"""How long the link waits between attempts."""

from hypothesis import given
from hypothesis import strategies as st

from agent.link import BACKOFF_IN_CALL_S, BACKOFF_MAX_S, backoff_s

JITTER = st.floats(0, 1, exclude_max=True)


@given(st.integers(0, 10_000), st.sampled_from([BACKOFF_MAX_S, BACKOFF_IN_CALL_S]), JITTER)
def test_the_wait_never_exceeds_its_ceiling_nor_falls_below_nothing(attempt, ceiling_s, jitter):
    assert 0 <= backoff_s(attempt, ceiling_s, jitter) <= ceiling_s


@given(st.integers(0, 50), JITTER)
def test_the_wait_never_shrinks_with_attempts(attempt, jitter):
    assert backoff_s(attempt, BACKOFF_MAX_S, jitter) <= backoff_s(attempt + 1, BACKOFF_MAX_S, jitter)


def test_it_doubles_from_one_second_to_a_minute():
    assert [backoff_s(attempt, BACKOFF_MAX_S, 1.0) for attempt in (0, 1, 2, 5, 6, 99)] == [
        1,
        2,
        4,
        32,
        60,
        60,
    ]
