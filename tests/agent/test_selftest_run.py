"""A self-test that somebody interrupts gives way, holds on to nothing, and tells nothing."""

import asyncio

from agent.selftest import SelfTester
from agent.verdict import found, well


def run(play):
    return asyncio.run(asyncio.wait_for(play(), 20))


class Holding:
    """A Probe that holds its device until it is told to go on."""

    name = "camera"

    def __init__(self):
        self.go, self.holds = asyncio.Event(), asyncio.Event()

    async def run(self, context):
        self.holds.set()
        await self.go.wait()
        return [found("camera", reason="no answer")]


class Waiting:
    """A Probe that has time."""

    name = "region"

    async def run(self, context):
        await context.pause(60)
        return [well("region")]


def test_a_test_that_only_waits_gives_way_at_once_and_begins_no_probe():
    async def play():
        done, camera = [], Holding()
        tester = SelfTester([[Waiting()], [camera]], done.append)
        tester.start("before")
        await asyncio.sleep(0)
        tester.stop()
        await tester.over()
        assert (camera.holds.is_set(), done, tester.is_over) == (False, [], True)
        tester.stop()
        await tester.over()

    run(play)


def test_a_test_that_holds_a_device_is_waited_for_and_what_it_found_is_not_told():
    async def play():
        done, camera = [], Holding()
        tester = SelfTester([[camera]], done.append)
        tester.start("before")
        await camera.holds.wait()
        tester.start("staff")
        tester.stop()
        over = asyncio.create_task(tester.over())
        await asyncio.sleep(0)
        assert not over.done()
        camera.go.set()
        await over
        assert done == []

    run(play)
