"""The camera for scanning is opened and closed one after the other, and gives way to a session."""

import asyncio
from types import SimpleNamespace

import pytest

from agent.media.device import DeviceError
from agent.media.negotiation import NegotiationError
from agent.scan_media import Mirrors, ScanMedia
from agent.screen import NoSuchMedia


class FakeCamera:
    def __init__(self, told, fault=None):
        self.told, self.fault = told, fault

    async def open(self):
        await asyncio.sleep(0)
        self.told.append("open")
        if self.fault:
            raise self.fault

    async def mirror(self, sdp):
        if sdp == "bad":
            raise NegotiationError("no place for a picture")
        return SimpleNamespace(id="m1", sdp=f"mirror of {sdp}")

    async def end_mirror(self, resource):
        self.told.append(f"end {resource}")

    async def close(self):
        await asyncio.sleep(0)
        self.told.append("close")


class Session:
    """The session's own media."""

    def __init__(self, told):
        self.told = told

    async def whep_offer(self, name, _sdp):
        return SimpleNamespace(id="s1", sdp=f"session's {name}")

    async def whep_close(self, resource):
        self.told.append(f"session ends {resource}")


def play(scene, fault=None):
    async def scenario():
        told = []

        async def tests_are_over():
            told.append("tests over")

        media = ScanMedia(
            lambda: FakeCamera(told, fault),
            before_open=tests_are_over,
            next_generation=lambda: 7,
            on_opened=lambda: told.append("opened"),
            on_failed=lambda: told.append("failed"),
        )
        await asyncio.wait_for(scene(media, told), 10)
        await media.stop()
        return told

    return asyncio.run(scenario())


async def settled(media):
    while media._working:
        await asyncio.sleep(0)


def test_it_opens_after_the_self_test_and_closes_before_a_session_opens():
    async def scene(media, told):
        media.open()
        await settled(media)
        assert (told, media.generation) == (["tests over", "open", "opened"], 7)
        media.close()
        await media.closed()
        assert told[-1] == "close"

    assert play(scene).count("close") == 1


def test_open_and_close_in_any_haste_end_as_the_last_one_says():
    async def scene(media, told):
        media.open()
        media.close()
        await settled(media)
        assert told in ([], ["tests over", "open", "close"])
        media.open()
        await settled(media)
        media.close()
        media.open()
        await settled(media)
        assert (await media.mirror("x")).sdp == "mirror of x"

    play(scene)


def test_a_session_does_not_wait_for_a_camera_that_stays_open():
    async def scene(media, _told):
        media.open()
        await media.closed()
        await settled(media)

    play(scene)


def test_one_who_gives_up_waiting_does_not_break_the_closing_off(monkeypatch):
    slow = asyncio.Event()
    at_once = FakeCamera.close

    async def close(self):
        await slow.wait()
        await at_once(self)

    monkeypatch.setattr(FakeCamera, "close", close)

    async def scene(media, told):
        media.open()
        await settled(media)
        media.close()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(media.closed(), 0.01)
        slow.set()
        await media.closed()
        assert told[-1] == "close"

    play(scene)


@pytest.mark.parametrize("fault", [DeviceError("camera", "it is gone", "Plug it in"), TimeoutError()])
def test_a_camera_that_cannot_be_had_is_told_and_closed(fault, caplog):
    async def scene(media, told):
        media.open()
        await settled(media)
        assert told == ["tests over", "open", "close", "failed"]
        assert not media.is_wanted

    play(scene, fault)
    assert "cannot be opened for scanning" in caplog.text


def test_a_fault_of_ours_is_told_too_and_leaves_no_camera_open(caplog):
    async def scene(media, told):
        media.open()
        await settled(media)
        assert told[-2:] == ["close", "failed"]

    play(scene, ValueError("Kanarie"))
    assert "scanning failed" in caplog.text
    assert "Kanarie" not in caplog.text


def test_the_mirror_is_self_while_scanning_and_the_sessions_otherwise():
    async def scene(media, told):
        mirrors = Mirrors(Session(told), media)
        assert (await mirrors.whep_offer("self", "x")).sdp == "session's self"
        media.open()
        assert (await mirrors.whep_offer("self", "x")).sdp == "mirror of x"
        assert (await mirrors.whep_offer("peer/p", "x")).sdp == "session's peer/p"
        with pytest.raises(NoSuchMedia):
            await mirrors.whep_offer("self", "bad")
        await mirrors.whep_close("m1")
        assert told[-2:] == ["end m1", "session ends m1"]

    play(scene)


def test_a_mirror_of_a_camera_that_does_not_open_is_refused_in_time(monkeypatch):
    monkeypatch.setattr("agent.scan_media.SHOWN_WITHIN_S", 0.01)

    async def scene(media, _told):
        with pytest.raises(NoSuchMedia):
            await media.mirror("x")

    play(scene)
