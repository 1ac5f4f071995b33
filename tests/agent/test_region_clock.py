"""The region's time: learnt, carried on, remembered, and not turned back by old messages."""

from datetime import UTC, datetime, timedelta

from agent.checkin import PAUSE, TRIES, TryLock

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_before_it_has_learnt_it_is_never_earlier_than_what_is_known_to_be_past(house):
    house.time.wall = datetime(1970, 1, 1, tzinfo=UTC)
    clock = house.time.clock(floor=NOW)
    assert (clock.now(), clock.is_sure) == (NOW, False)


def test_what_it_learns_counts_on_whatever_the_wall_clock_does(house):
    clock = house.time.clock()
    clock.learn(NOW + HOUR, fresh=True)
    house.time.passes(60)
    house.time.wall -= timedelta(days=400)
    assert clock.now() == NOW + HOUR + timedelta(seconds=60)


def test_a_message_that_may_have_waited_moves_it_forward_only(house):
    clock = house.time.clock()
    clock.learn(NOW, fresh=True)
    clock.learn(NOW - HOUR, fresh=False)
    assert clock.now() == NOW
    clock.learn(NOW - HOUR, fresh=True)
    assert clock.now() == NOW - HOUR


def test_a_restart_of_the_agent_knows_the_time_and_its_absence(house):
    clock = house.time.clock()
    clock.learn(NOW + HOUR, fresh=True)
    memory = clock.memory()
    house.time.passes(30)
    house.time.wall += timedelta(days=3)
    again = house.time.clock()
    assert again.recall(memory) == timedelta(seconds=30)
    assert again.now() == NOW + HOUR + timedelta(seconds=30)
    assert (again.is_sure, again.is_learnt) == (True, False)


def test_after_a_restart_of_the_machine_the_wall_clock_must_do(house):
    memory = house.time.clock().memory()
    house.time.boot_id = "boot-2"
    house.time.monotonic_s = 5.0
    house.time.wall = NOW + HOUR
    again = house.time.clock()
    assert again.recall(memory) == HOUR
    house.time.wall = NOW - HOUR
    assert house.time.clock().recall(memory) == timedelta(0)


def test_five_wrong_tries_then_a_pause_then_five_again():
    lock = TryLock()
    for left in range(TRIES - 1, 0, -1):
        lock = lock.after_wrong(NOW)
        assert (lock.is_locked(NOW), lock.tries_left(NOW)) == (False, left)
    lock = lock.after_wrong(NOW)
    assert (lock.is_locked(NOW + PAUSE - timedelta(seconds=1)), lock.tries_left(NOW)) == (True, 0)
    assert (lock.is_locked(NOW + PAUSE), lock.tries_left(NOW + PAUSE)) == (False, TRIES)
    assert lock.after_wrong(NOW + PAUSE).tries_left(NOW + PAUSE) == TRIES - 1


def test_a_clock_put_right_ends_a_pause_that_would_last_for_years():
    lock = TryLock(TRIES, NOW + timedelta(days=1000) + PAUSE)
    assert not lock.is_locked(NOW)
    assert TryLock(TRIES, NOW + PAUSE).is_locked(NOW - timedelta(seconds=5))
