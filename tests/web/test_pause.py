"""A pause for each key."""

from web.pause import MOST_KEYS, Pause


def test_each_key_has_its_own_pause():
    now = 0.0
    pause = Pause(2.0, lambda: now)
    assert [pause.lets_through(key) for key in "aab"] == [True, False, True]
    now = 2.0
    assert pause.lets_through("a")


def test_it_remembers_no_more_keys_than_it_should():
    pause = Pause(1.0, lambda: 0.0)
    assert all(pause.lets_through(number) for number in range(MOST_KEYS + 1))
    assert pause.lets_through(0)
    assert not pause.lets_through(MOST_KEYS)
