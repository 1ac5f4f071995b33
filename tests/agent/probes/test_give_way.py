"""Work in a self-test ends with it: its result, its error, or nothing once somebody needs the room."""

import asyncio

import pytest

from agent.probes import give_way
from agent.probes.give_way import unless_stopped
from agent.selftest import Context


def test_work_that_comes_to_its_end_gives_its_result_or_its_error():
    async def gives():
        return 7

    async def fails():
        raise OSError("gone")

    assert asyncio.run(unless_stopped(Context(), gives())) == 7
    with pytest.raises(OSError, match="gone"):
        asyncio.run(unless_stopped(Context(), fails()))


def test_work_that_takes_its_time_to_end_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(give_way, "CLEAN_UP_S", 0.0)
    ended = []

    async def slow_to_leave(go):
        try:
            await asyncio.sleep(60)
        finally:
            await go.wait()
            ended.append(True)

    async def main():
        context, go = Context(), asyncio.Event()
        running = asyncio.ensure_future(unless_stopped(context, slow_to_leave(go)))
        await asyncio.sleep(0)
        context.stopped.set()
        assert await asyncio.wait_for(running, 5) is None
        assert ended == []
        go.set()
        await asyncio.sleep(0.01)
        assert ended == [True], "what it holds is given back all the same"

    asyncio.run(main())
