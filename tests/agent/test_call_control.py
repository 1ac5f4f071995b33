"""Orders to camera and connections: devices that fail or hang, and what is left open afterwards: nothing."""

import asyncio
from itertools import count
from types import SimpleNamespace

import pytest

from agent import call_control, connections
from agent.call_control import CallControl
from agent.contract.signalling import IceServer
from agent.media.device import DeviceError
from agent.media.facts import CallSettings, LocalOffer
from agent.screen import NoSuchMedia


class FakeCapture:
    """Opens as it is told: "ok", "error", "fault" or "hang"; or cannot even be made: "made"."""

    video = audio = video_vp8 = type("Source", (), {"codec": "H264", "subscribe": lambda *_: lambda: None})()

    def __init__(self, how):
        self.how = how
        self.on = {}
        self.is_open = False

    async def open(self):
        self.is_open = True
        if self.how == "hang":
            await asyncio.Event().wait()
        if self.how == "error":
            raise DeviceError("camera", "is gone", "Plug it in.")
        if self.how == "fault":
            raise ValueError("a fault of ours")

    async def close(self):
        self.is_open = False

    def stats(self):
        return SimpleNamespace(camera_fault=None, microphone_fault=None)

    def set_microphone(self, on):
        self.on["microphone"] = on

    def set_camera(self, on):
        self.on["camera"] = on


class Bench:
    """A CallControl whose devices open as `hows` say, one after the other; the last goes on."""

    def __init__(self, *hows, before_open=None):
        self.hows = list(hows)
        self.captures = []
        self.errors = []
        self.facts = []
        self.lost = []
        self.control = CallControl(
            make_capture=self.make,
            settings=CallSettings(),
            before_open=before_open or self.nothing,
            next_attempt=count(1).__next__,
            on_fact=self.facts.append,
            on_lost=self.lost.append,
            on_device_error=self.errors.append,
        )

    async def nothing(self):
        pass

    def make(self):
        how = self.hows.pop(0) if len(self.hows) > 1 else self.hows[0]
        if how == "made":
            raise DeviceError("camera", "no film is given", "Give camera.file in the board profile")
        self.captures.append(FakeCapture(how))
        return self.captures[-1]

    @property
    def offers(self):
        return [fact.attempt for fact in self.facts if isinstance(fact, LocalOffer)]

    @property
    def open_devices(self):
        return sum(capture.is_open for capture in self.captures)

    async def until(self, holds):
        while not holds():
            await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(call_control, "OPEN_TIMEOUT_S", 0.05)
    monkeypatch.setattr(call_control, "REOPEN_AFTER_S", 0.01)
    monkeypatch.setattr(connections, "COMES_BACK_WITHIN_S", 0.01)


def play(scene, *hows, **options):
    async def main():
        bench = Bench(*hows, **options)
        await scene(bench)
        await bench.control.stop()
        assert bench.open_devices == 0

    asyncio.run(asyncio.wait_for(main(), 20))


@pytest.mark.parametrize(("fault", "told"), [("hang", "timeout"), ("error", "camera"), ("fault", "fault")])
def test_devices_that_fail_or_hang_are_closed_and_tried_again(fault, told):
    async def scene(bench):
        bench.control.open()
        await bench.until(lambda: bench.control.failed)
        await bench.until(lambda: bench.control.call is not None)
        assert not bench.control.failed
        assert bench.errors == [told]
        assert (len(bench.captures), bench.open_devices) == (3, 1)

    play(scene, fault, fault, "ok")


def test_a_capture_that_cannot_be_made_is_told_and_tried_again():
    async def scene(bench):
        bench.control.open()
        await bench.until(lambda: bench.control.call is not None)
        assert bench.errors == ["camera"]

    play(scene, "made", "ok")


def test_nothing_stays_open_or_is_tried_again_for_a_session_that_ended_meanwhile():
    async def scene(bench):
        bench.control.open()
        await bench.until(lambda: bench.open_devices == 1)
        bench.control.close()
        await bench.until(lambda: bench.open_devices == 0)
        await asyncio.sleep(0.03)
        assert len(bench.captures) == 1
        assert not bench.control.failed
        assert bench.errors == []

    play(scene, "hang")


def test_a_self_test_that_does_not_end_is_no_reason_to_give_up():
    turns = []

    async def before_open():
        turns.append(True)
        if len(turns) == 1:
            await asyncio.Event().wait()

    async def scene(bench):
        bench.control.open()
        await bench.until(lambda: bench.control.call is not None)
        assert bench.errors == ["timeout"]

    play(scene, "ok", before_open=before_open)


def test_the_screen_hears_that_there_is_no_picture(monkeypatch):
    monkeypatch.setattr(call_control, "OPEN_WITHIN_S", 0.01)

    async def scene(bench):
        with pytest.raises(NoSuchMedia):
            await bench.control.whep_offer("self", "v=0")

    play(scene, "ok")


async def in_call(bench):
    bench.control.network_changed(frozenset({"192.0.2.1"}))
    bench.control.open()
    await bench.until(lambda: bench.control.call is not None)
    bench.control.connect("doc", ())
    await bench.until(lambda: len(bench.offers) == 1)


def test_an_offer_waits_for_signalling_and_is_made_anew_when_it_may_have_been_lost():
    async def scene(bench):
        await in_call(bench)
        bench.control.signalling(False)
        bench.control.signalling(True)
        await bench.until(lambda: len(bench.offers) == 2)
        bench.control.flowing("doc")
        bench.control.signalling(False)
        bench.control.signalling(True)
        bench.control.signalling(False)
        bench.control.connect("doc", ())
        await asyncio.sleep(0.03)
        assert len(bench.offers) == 2
        bench.control.signalling(True)
        await bench.until(lambda: len(bench.offers) == 3)

    play(scene, "ok")


def test_media_that_comes_back_by_itself_calls_off_the_next_attempt():
    async def scene(bench):
        await in_call(bench)
        bench.control.connect("doc", ())
        bench.control.flowing("doc")
        await asyncio.sleep(0.03)
        assert len(bench.offers) == 1

    play(scene, "ok")


def test_an_address_that_is_gone_rebuilds_what_seems_to_flow():
    async def scene(bench):
        await in_call(bench)
        bench.control.flowing("doc")
        bench.control.network_changed(frozenset({"192.0.2.1", "192.0.2.2"}))
        await asyncio.sleep(0.03)
        assert len(bench.offers) == 1
        bench.control.network_changed(frozenset({"192.0.2.2"}))
        await bench.until(lambda: len(bench.offers) == 2)

    play(scene, "ok")


def test_an_attempt_without_media_is_given_up_later_each_time(monkeypatch):
    monkeypatch.setattr(connections, "CONNECT_WITHIN_S", (0.0, 60.0))
    monkeypatch.setattr(connections, "RETRY_AFTER_S", 0.0)

    async def scene(bench):
        await in_call(bench)
        bench.control.tick()
        assert bench.lost == ["doc"]
        bench.control.connect("doc", ())
        await bench.until(lambda: len(bench.offers) == 2)
        bench.control.tick()
        assert bench.lost == ["doc"]

    play(scene, "ok")


def test_a_rebuilt_connection_gets_the_newest_servers(monkeypatch):
    monkeypatch.setattr(connections, "RETRY_AFTER_S", 0.0)
    old, new = (IceServer(urls=("turn:127.0.0.1:9",), username=name) for name in ("old", "new"))
    given = []

    async def connect(_peer, _attempt, servers, _use):
        given.append(servers[0].username)

    async def scene(bench):
        await in_call(bench)
        bench.control.call.connect = connect
        bench.control.use_servers("doc", [old])
        bench.control.use_servers("doc", [new])
        bench.control.connect("doc", [old])
        await bench.until(lambda: given == ["new"])
        bench.control.disconnect("doc")
        bench.control.connect("doc", [old])
        await bench.until(lambda: given == ["new", "old"])

    play(scene, "ok")


def test_on_hold_nothing_goes_out_and_what_the_patient_chose_comes_back():
    async def scene(bench):
        bench.control.open()
        await bench.until(lambda: bench.control.call is not None)
        capture = bench.captures[0]
        bench.control.set_microphone(False)
        bench.control.hold(True)
        assert capture.on == {"microphone": False, "camera": False}
        bench.control.set_microphone(True)
        assert capture.on == {"microphone": False, "camera": False}
        bench.control.hold(False)
        assert capture.on == {"microphone": True, "camera": True}

    play(scene, "ok")


def test_a_hold_that_came_before_the_devices_were_open_holds_and_ends_with_the_session():
    async def scene(bench):
        bench.control.open()
        bench.control.hold(True)
        await bench.until(lambda: bench.control.call is not None)
        assert bench.captures[0].on == {"microphone": False, "camera": False}
        bench.control.close()
        bench.control.open()
        await bench.until(lambda: len(bench.captures) == 2 and bench.control.call is not None)
        assert bench.captures[1].on == {"microphone": True, "camera": True}

    play(scene, "ok")


def test_a_party_whose_connection_has_no_place_for_a_picture_gets_another_to_see():
    async def scene(bench):
        await in_call(bench)
        bench.control.call.show_to = lambda peer, sees: not sees
        bench.control.show_to("doc", False)
        bench.control.show_to("unknown", True)
        await asyncio.sleep(0.01)
        assert len(bench.offers) == 1
        bench.control.flowing("doc")
        bench.control.show_to("doc", True)
        await bench.until(lambda: len(bench.offers) == 2)

    play(scene, "ok")
