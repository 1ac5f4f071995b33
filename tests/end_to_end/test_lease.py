"""Who leads, by a real PostgreSQL: one at a time, and whoever was held up writes nothing more."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from sqlalchemy.exc import DBAPIError

from provisioning import lease as leases
from provisioning.database import Database
from provisioning.lease import Deposed, Lease
from provisioning.models import Fact
from tests.system.postgresql import PostgreSql, postgresql

pytestmark = pytest.mark.end_to_end


class Clock:
    """Each instance's own, which its process may have slept through."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSql]:
    with postgresql() as running:
        yield running


@pytest.fixture
def url(server: PostgreSql) -> str:
    return server.new_database("lease")


def let_it_run_out(server: PostgreSql) -> None:
    with server.connect("lease") as db:
        db.execute("UPDATE region_heartbeat SET until = clock_timestamp() - interval '1 second'")


def test_one_leads_and_the_other_when_it_lets_go(url: str) -> None:
    first, second = Lease(url, "region-1"), Lease(url, "region-2")
    assert first.take()
    assert not second.take()
    assert first.renew()
    assert (first.holds(), second.holds()) == (True, False)
    first.release()
    assert not first.holds()
    assert second.take()
    assert (first.fence, second.fence, second.holder_before) == (1, 2, "region-1")
    assert not first.renew()


def test_of_many_that_begin_together_one_leads(url: str) -> None:
    all_of_them = [Lease(url, f"region-{number}") for number in range(8)]
    threads = [threading.Thread(target=each.take) for each in all_of_them]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(each.holds() for each in all_of_them) == 1


def test_one_that_was_held_up_neither_acts_nor_writes(url: str, server: PostgreSql) -> None:
    clock = Clock()
    old, new = Lease(url, "region-1", now_s=clock), Lease(url, "region-2")
    assert old.take()
    database = Database(url, old.fence)
    database.create()
    clock.now += leases.ACTS_S
    assert not old.holds()
    let_it_run_out(server)
    assert new.take()
    with pytest.raises(Deposed), database.write() as db:
        db.add(Fact(name="stale", value="x"))
    assert not old.renew()
    clock.now = 100.0  # whatever its clock says then
    assert not old.holds()
    with Database(url, new.fence).write() as db:
        assert db.get(Fact, "stale") is None
    database.close()


def test_a_write_under_way_is_finished_before_another_leads(url: str, server: PostgreSql) -> None:
    old, new = Lease(url, "region-1"), Lease(url, "region-2")
    assert old.take()
    database = Database(url, old.fence)
    database.create()
    took: list[float] = []
    with database.write() as db:
        db.add(Fact(name="last", value="x"))
        db.flush()
        let_it_run_out(server)
        thread = threading.Thread(target=lambda: took.append(new.take() and time.monotonic()))
        thread.start()
        thread.join(0.5)
        assert took == []
        done_at = time.monotonic()
    thread.join(10)
    assert took[0] >= done_at
    with database.read() as db:
        assert db.get(Fact, "last") is not None
    database.close()


def test_a_write_that_was_stopped_in_the_middle_is_rolled_back(
    url: str, server: PostgreSql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provisioning.database_url.IDLE_IN_TRANSACTION_S", 1)
    old, new = Lease(url, "region-1"), Lease(url, "region-2")
    assert old.take()
    database = Database(url, old.fence)
    database.create()
    with suppress(DBAPIError), database.write() as db:
        db.add(Fact(name="half", value="x"))
        db.flush()
        let_it_run_out(server)
        assert new.take()  # waits until PostgreSQL has ended the session that idles
    with database.read() as db:
        assert db.get(Fact, "half") is None
    database.close()


def test_without_postgresql_it_acts_a_little_and_then_no_more(url: str, server: PostgreSql) -> None:
    clock = Clock()
    lease = Lease(url, "region-1", now_s=clock)
    assert lease.take()
    server.stop()
    try:
        assert not lease.renew()
        assert lease.holds()
        clock.now += leases.ACTS_S
        assert not lease.holds()
    finally:
        server.start()
    assert not lease.renew()  # too late: another may have led meanwhile
