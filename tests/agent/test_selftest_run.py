"""A self-test that somebody interrupts: it gives way at once while it waits, and is waited for while it probes."""

import asyncio

from agent.selftest import SelfTester, Verdict

CAMERA = Verdict("camera", True, 30.0, "frames/s")


def run(play):
    return asyncio.run(asyncio.wait_for(play(), 20))


def test_a_test_that_waits_for_the_region_gives_way_before_it_takes_a_device():
    async def play():
        probed, done = [], []

        async def probe():
            probed.append(True)
            return [CAMERA]

        tester = SelfTester(lambda: False, probe, done.append)
        tester.start()
        await asyncio.sleep(0)
        tester.stop()
        await tester.over()
        assert (probed, done) == ([], [])
        tester.stop()
        await tester.over()

    run(play)


def test_a_test_that_holds_the_devices_is_waited_for_and_tells_what_it_found():
    async def play():
        done, go, probing = [], asyncio.Event(), asyncio.Event()

        async def probe():
            probing.set()
            await go.wait()
            return [CAMERA]

        tester = SelfTester(lambda: True, probe, done.append)
        tester.start()
        await probing.wait()
        tester.start()
        tester.stop()
        over = asyncio.create_task(tester.over())
        await asyncio.sleep(0)
        assert not over.done()
        go.set()
        await over
        assert [[verdict.probe for verdict in each.verdicts] for each in done] == [["region", "camera"]]

    run(play)
