"""A Call against stock aiortc connections, which play the clinician's browser and the kiosk."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

from agent.media.call import Call
from agent.media.facts import (
    CallSettings,
    Connected,
    ConnectionFailed,
    Fact,
    LocalOffer,
    MediaBack,
    MediaFlowing,
    MediaLost,
    PeerGone,
    PeerMessage,
)
from agent.media.media_socket import PortRange, open_udp
from agent.media.negotiation import NegotiationError
from agent.media.peer_use import EVERYTHING, PeerUse
from agent.media.source import EncodedFrame
from tests.agent.media.synthetic import SilentSource
from tests.gathering import gather_only

SETTINGS = CallSettings(addresses=("127.0.0.1",), media_lost_s=0.3)
KEYFRAME = b"".join(
    b"\x00\x00\x00\x01" + unit for unit in (b"\x67\x42\xe0\x1f", b"\x68\xce", b"\x65" + bytes(3000))
)


class Rig:
    def __init__(self, settings: CallSettings = SETTINGS, fallback: SilentSource | None = None) -> None:
        self.facts: list[Fact] = []
        self._changed = asyncio.Event()
        self.video, self.audio = SilentSource("H264"), SilentSource("opus")
        self.small = SilentSource("H264")
        self.fallback = fallback
        self.call = Call(
            self.video,
            self.audio,
            on_fact=self.on_fact,
            settings=settings,
            fallback_video=(lambda: fallback) if fallback else None,
            small_video=lambda: self.small,
        )
        self.remotes: list[RTCPeerConnection] = []
        self.messages: list[str | bytes] = []
        self._emitting = asyncio.get_running_loop().create_task(self._emit())

    def on_fact(self, fact: Fact) -> None:
        self.facts.append(fact)
        self._changed.set()

    async def _emit(self) -> None:
        count = 0
        while True:
            now = time.monotonic()
            self.video.emit(EncodedFrame(KEYFRAME, count * 900, now, True))
            self.small.emit(EncodedFrame(KEYFRAME, count * 900, now, True))
            if self.fallback:
                self.fallback.emit(EncodedFrame(b"\x10" + bytes(3000), count * 900, now, True))
            self.audio.emit(EncodedFrame(b"\x08sound", count * 480, now, True))
            count += 1
            await asyncio.sleep(0.01)

    async def wait(self, kind: type, count: int = 1) -> Fact:
        async with asyncio.timeout(5):
            while len(found := [fact for fact in self.facts if isinstance(fact, kind)]) < count:
                self._changed.clear()
                await self._changed.wait()
        return found[count - 1]

    def remote(self) -> RTCPeerConnection:
        connection = RTCPeerConnection(RTCConfiguration([]))
        self.remotes.append(connection)
        return connection

    async def join(
        self, peer: str = "doc", attempt: int = 1, codec: str = "", use: PeerUse = EVERYTHING
    ) -> RTCPeerConnection:
        await self.call.connect(peer, attempt, use=use)
        offer = await self.wait(LocalOffer, sum(isinstance(f, LocalOffer) for f in self.facts) or 1)
        remote = self.remote()
        remote.on("datachannel", self._on_channel)
        if not use.only_shows:
            remote.addTrack(AudioStreamTrack())
        remote.addTrack(VideoStreamTrack())
        for transceiver in remote.getTransceivers():
            if codec and transceiver.kind == "video":
                known = RTCRtpSender.getCapabilities("video").codecs
                transceiver.setCodecPreferences([c for c in known if c.mimeType == codec])
        await remote.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
        gather_only(remote, ["127.0.0.1"])
        await remote.setLocalDescription(await remote.createAnswer())
        await self.call.answer(peer, attempt, remote.localDescription.sdp)
        return remote

    def _on_channel(self, channel) -> None:
        channel.on("message", self.messages.append)
        channel.send(json.dumps({"type": "hello"}))
        channel.send("[not an object")

    async def view(self, resource: str, kinds: tuple[str, ...] = ("audio", "video")) -> tuple[str, list]:
        """A kiosk that counts the RTP packets it gets, undecoded, by kind."""
        kiosk, got = self.remote(), []
        for kind in kinds:
            receiver = kiosk.addTransceiver(kind, "recvonly").receiver

            async def handle(packet, arrival_time_ms: int, kind: str = kind) -> None:
                got.append((kind, packet))

            receiver._handle_rtp_packet = handle
        gather_only(kiosk, ["127.0.0.1"])
        await kiosk.setLocalDescription(await kiosk.createOffer())
        answer = await self.call.kiosk_offer(resource, kiosk.localDescription.sdp)
        await kiosk.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
        return answer.id, got

    async def close(self) -> None:
        self._emitting.cancel()
        await self.call.close()
        for remote in self.remotes:
            await remote.close()


def with_rig(check: Callable[[Rig], Awaitable[None]], settings: CallSettings = SETTINGS) -> None:
    async def main() -> None:
        rig = Rig(settings)
        try:
            await check(rig)
        finally:
            await rig.close()

    asyncio.run(main())


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


def test_a_party_is_seen_heard_and_spoken_to_and_leaves() -> None:
    async def check(rig: Rig) -> None:
        rig.call.send_message(None, {"too": "early for anyone"})
        _, got = await rig.view("peer/doc")
        remote = await rig.join()
        rig.call.send_message("doc", {"type": "state", "microphone": True})
        assert await rig.wait(MediaFlowing, 2)
        assert await rig.wait(PeerMessage) == PeerMessage("doc", {"type": "hello"})
        await until(lambda: {kind for kind, _ in got} == {"audio", "video"})
        await until(lambda: rig.messages)
        assert json.loads(rig.messages[0]) == {"type": "state", "microphone": True}
        numbers = [p.sequence_number for kind, p in got if kind == "audio"]
        assert all(b == a + 1 for a, b in itertools.pairwise(numbers))
        await until(lambda: rig.video.targets)
        stats = rig.call.stats()
        assert stats.peers["doc"].connected
        assert stats.peers["doc"].received["video"].packets > 0
        assert stats.targets["full"] == rig.video.targets[-1]
        assert stats.targets["full"].width == 1280
        await remote.close()
        assert await rig.wait(PeerGone)

    with_rig(check)


def test_self_view_works_before_any_party_and_media_stays_on_loopback() -> None:
    async def check(rig: Rig) -> None:
        view, got = await rig.view("self", kinds=("video",))
        await until(lambda: len(got) > 5)
        assert {kind for kind, _ in got} == {"video"}
        assert rig.video.keyframe_requests > 0
        connection = rig.call._views[view].connection._engine
        addresses = [
            line.split()[4] for line in connection.localDescription.sdp.splitlines() if "candidate:" in line
        ]
        assert set(addresses) == {"127.0.0.1"}
        await rig.call.kiosk_close(view)
        await rig.call.kiosk_close(view)
        assert rig.call.stats().kiosk_streams == ()

    with_rig(check)


def test_silence_is_told_and_a_rebuilt_connection_carries_the_kiosk_on() -> None:
    async def check(rig: Rig) -> None:
        _, got = await rig.view("peer/doc")
        remote = await rig.join()
        await rig.wait(MediaFlowing, 2)
        await until(lambda: sum(kind == "audio" for kind, _ in got) > 3)
        rig.call._peers["doc"].connection._transport._dtls._rx_srtp = None  # the line goes dead
        assert await rig.wait(MediaLost) == MediaLost("doc")
        before = len(got)
        await rig.join(attempt=2)
        assert await rig.wait(MediaBack) == MediaBack("doc")
        await until(lambda: sum(kind == "audio" for kind, _ in got[before:]) > 3)
        audio = [p for kind, p in got if kind == "audio"]
        assert len({p.ssrc for p in audio}) == 1
        steps = [(b.sequence_number - a.sequence_number) & 0xFFFF for a, b in itertools.pairwise(audio)]
        assert set(steps) == {1}
        await remote.close()
        assert not any(isinstance(f, ConnectionFailed) for f in rig.facts)

    with_rig(check)


def test_a_rebuilt_connection_that_comes_to_nothing_leaves_the_old_one_alone() -> None:
    async def check(rig: Rig) -> None:
        _, got = await rig.view("peer/doc")
        await rig.join()
        await rig.wait(MediaFlowing, 2)
        await rig.call.connect("doc", 2)
        await rig.call.answer("doc", 2, "nonsense")
        before = len(got)
        await until(lambda: len(got) > before + 3)
        assert rig.call.stats().peers["doc"].attempt == 1
        assert not any(isinstance(fact, ConnectionFailed | MediaLost) for fact in rig.facts)

    with_rig(check)


def test_a_connection_that_ends_hands_over_to_the_one_being_built() -> None:
    async def check(rig: Rig) -> None:
        _, got = await rig.view("peer/doc")
        remote = await rig.join()
        await rig.wait(MediaFlowing, 2)
        await rig.call.connect("doc", 2)
        await remote.close()
        await until(lambda: rig.call.stats().peers["doc"].attempt == 2)
        await rig.join(attempt=3)
        await rig.wait(Connected, 2)
        before = len(got)
        await until(lambda: len(got) > before + 3)
        assert rig.call.stats().peers["doc"].attempt == 3
        assert not any(isinstance(fact, PeerGone) for fact in rig.facts)

    with_rig(check)


def test_one_partys_broken_answer_leaves_the_others_alone() -> None:
    async def check(rig: Rig) -> None:
        await rig.join("doc")
        for index, sdp in enumerate(["", "v=0", "v=0\r\nm=audio 9 X\r\n", rig.facts[0].sdp]):
            peer = f"bad{index}"
            await rig.call.connect(peer, 1)
            await rig.call.candidate(peer, 1, {"candidate": "candidate:x y z", "sdpMid": "0"})
            await rig.call.answer(peer, 1, sdp)
        await rig.wait(ConnectionFailed, 4)
        failed = [f for f in rig.facts if isinstance(f, ConnectionFailed)]
        assert {f.peer for f in failed} == {"bad0", "bad1", "bad2", "bad3"}
        assert {f.reason for f in failed} == {"bad_answer"}
        assert await rig.wait(Connected) == Connected("doc")
        await rig.wait(MediaFlowing, 2)

    with_rig(check)


def test_a_party_without_h264_gets_the_shared_vp8_encoder_started_for_it() -> None:
    async def main() -> None:
        rig = Rig(fallback=SilentSource("VP8"))
        try:
            await rig.join("doc")
            await rig.wait(Connected)
            assert rig.fallback.listeners == []
            await rig.join("old", codec="video/VP8")
            await rig.wait(Connected, 2)
            assert len(rig.fallback.listeners) == 1
            await until(lambda: rig.call.stats().peers["old"].bytes_sent > 10_000)
        finally:
            await rig.close()

    asyncio.run(main())


def test_a_slow_party_moves_to_a_smaller_encoding_and_takes_nothing_from_the_others() -> None:
    async def check(rig: Rig) -> None:
        await rig.join("fast")
        await rig.join("slow")
        await rig.wait(Connected, 2)
        assert rig.small.listeners == []
        for name, bit_rate in (("fast", 2_000_000), ("slow", 300_000)):
            rig.call._peers[name].controller.on_remb(bit_rate)
        rig.call._peers["fast"].controller._rate.bit_rate = 2_000_000
        await until(lambda: rig.call.stats().peers["slow"].encoding == "small")
        await until(lambda: rig.small.listeners and len(rig.video.listeners) == 1)
        stats = rig.call.stats()
        assert stats.peers["fast"].encoding == "full"
        assert stats.targets["full"].width == 1280
        assert stats.targets["small"].width < 960
        assert rig.small.targets[-1] == stats.targets["small"]
        await rig.call.disconnect("fast")
        await until(lambda: rig.call.stats().peers["slow"].encoding == "full" and not rig.small.listeners)
        assert "small" not in rig.call.stats().targets

    with_rig(check)


def test_while_a_line_is_full_pictures_are_left_out_and_loss_is_told_to_the_sound() -> None:
    async def check(rig: Rig) -> None:
        await rig.join("doc")
        await rig.wait(Connected)
        rig.call._peers["doc"].session.sending.controller.may_send = lambda *_: False
        await until(lambda: rig.video.skipped_until > 0)
        assert rig.audio.skipped_until == 0
        await until(lambda: rig.audio.expected_losses)
        assert rig.audio.expected_losses[-1] == 0.0

    with_rig(check)


def test_without_such_an_encoder_the_party_is_told_why() -> None:
    async def check(rig: Rig) -> None:
        await rig.join(codec="video/VP8")
        fact = await rig.wait(ConnectionFailed)
        assert (fact.reason, fact.detail) == ("no_common_codec", "video")

    with_rig(check)


def test_a_party_that_never_comes_is_given_up() -> None:
    async def check(rig: Rig) -> None:
        remote = await rig.join()
        await remote.close()
        fact = await rig.wait(ConnectionFailed)
        assert (fact.peer, fact.reason) == ("doc", "timeout")

    with_rig(check, CallSettings(addresses=("127.0.0.1",), connect_timeout_s=0.02))


def test_messages_of_other_attempts_and_parties_are_ignored() -> None:
    async def check(rig: Rig) -> None:
        await rig.call.answer("nobody", 1, "v=0")
        await rig.call.candidate("nobody", 1, {})
        await rig.call.disconnect("nobody")
        await rig.call.connect("doc", 2)
        await rig.call.connect("doc", 1)
        await rig.call.answer("doc", 1, "nonsense")
        assert [type(f) for f in rig.facts] == [LocalOffer]

    with_rig(check)


def test_the_kiosks_own_mistakes_are_said() -> None:
    async def check(rig: Rig) -> None:
        for resource, sdp in [("nowhere", "v=0"), ("peer/", "v=0"), ("self", "junk"), ("self", "v=0\r\n")]:
            with pytest.raises(NegotiationError):
                await rig.call.kiosk_offer(resource, sdp)
        with pytest.raises(ValueError, match="16 KiB"):
            rig.call.send_message(None, {"x": "y" * 20_000})
        assert rig.call.stats().kiosk_streams == ()

    with_rig(check)


def test_a_used_up_port_range_is_told_and_leaves_the_kiosk_alone() -> None:
    with open_udp("127.0.0.1", None, 0) as taken:
        port = taken.getsockname()[1]
        settings = replace(SETTINGS, addresses=("127.0.0.1",), media_ports=PortRange(port, port))

        async def check(rig: Rig) -> None:
            await rig.view("self", ("video",))
            await rig.call.connect("doc", 1)
            failed = await rig.wait(ConnectionFailed)
            assert (failed.reason, str(port) in failed.detail) == ("no_free_port", True)

        with_rig(check, settings)


def test_one_that_hears_only_gets_no_picture_nor_is_seen_until_a_connection_has_a_place_for_it() -> None:
    async def check(rig: Rig) -> None:
        _, got = await rig.view("peer/tolk")
        await rig.join("tolk", use=PeerUse(sees=False))
        await rig.wait(MediaFlowing)
        await until(lambda: sum(kind == "audio" for kind, _ in got) > 10)
        assert {kind for kind, _ in got} == {"audio"}
        assert list(rig.call._peers["tolk"].session.streams) == ["audio"]
        assert rig.call._peers["tolk"].picture_codec is None
        assert not rig.call.show_to("tolk", True)
        await rig.join("tolk", attempt=2)
        await until(lambda: "video" in rig.call._peers["tolk"].session.streams)
        sent = rig.call._peers["tolk"].session.streams["video"]
        await until(lambda: sent._packets > 5 and any(kind == "video" for kind, _ in got))

    with_rig(check)


def test_one_that_is_not_to_see_any_more_gets_no_picture_from_now_on() -> None:
    async def check(rig: Rig) -> None:
        _, got = await rig.view("peer/tolk")
        await rig.join("tolk")
        await until(lambda: {kind for kind, _ in got} == {"audio", "video"})
        sent = rig.call._peers["tolk"].session.streams["video"]
        assert rig.call.show_to("tolk", False)
        await asyncio.sleep(0.05)
        so_far = sent._packets
        got.clear()
        await until(lambda: len(got) > 10)
        assert (sent._packets, {kind for kind, _ in got}) == (so_far, {"audio"})
        assert rig.call.show_to("tolk", True)
        await until(lambda: sent._packets > so_far and any(kind == "video" for kind, _ in got))

    with_rig(check)


def test_what_a_party_shows_comes_in_and_nothing_of_ours_goes_out() -> None:
    async def check(rig: Rig) -> None:
        _, got = await rig.view("peer/shown")
        await rig.join("shown", use=PeerUse(only_shows=True))
        assert "m=audio" not in (await rig.wait(LocalOffer)).sdp
        await rig.wait(MediaFlowing)
        await until(lambda: sum(kind == "video" for kind, _ in got) > 3)
        peer = rig.call._peers["shown"]
        assert peer.session.streams == {}
        rig.call.send_message(None, {"type": "held", "on": False})
        assert rig.call.stats().peers["shown"].received["video"].packets > 0
        await until(lambda: rig.video.targets)
        assert set(rig.call.stats().targets) == {"full"}

    with_rig(check)


def test_on_hold_the_kiosk_gets_nothing_of_anybody_and_all_comes_back() -> None:
    async def check(rig: Rig) -> None:
        _, got = await rig.view("peer/doc")
        await rig.join()
        await until(lambda: {kind for kind, _ in got} == {"audio", "video"})
        rig.call.hold(True)
        await asyncio.sleep(0.05)
        got.clear()
        await asyncio.sleep(0.15)
        assert got == []
        rig.call.hold(False)
        await until(lambda: {kind for kind, _ in got} == {"audio", "video"})
        assert not [fact for fact in rig.facts if isinstance(fact, MediaLost)]

    with_rig(check, replace(SETTINGS, media_lost_s=2.0))


def test_a_larger_thing_reaches_one_party_whole_in_pieces_after_its_header() -> None:
    async def check(rig: Rig) -> None:
        await rig.join()
        await rig.wait(PeerMessage)
        data = bytes(range(256)) * 400
        assert await rig.call.send_blob("doc", {"type": "still"}, data)
        await until(lambda: sum(len(m) for m in rig.messages if isinstance(m, bytes)) == len(data))
        first = rig.messages.index('{"type":"still"}')
        assert b"".join(rig.messages[first + 1 :]) == data
        assert not await rig.call.send_blob("nobody", {"type": "still"}, data)
        await rig.call.disconnect("doc")
        assert not await rig.call.send_blob("doc", {"type": "still"}, data)

    with_rig(check)
