"""An attacker with real DTLS and SRTP beside an honest party, whose pictures go on whatever the other sends."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import pytest

from agent.media import rtcp
from agent.media.candidates import CANDIDATES_MAX
from tests.agent.media import hostile
from tests.bench.lines import Child
from tests.end_to_end.hostile_party import LOOPBACK, Party

pytestmark = [pytest.mark.end_to_end, pytest.mark.long]

ATTACK_S = 1.5
FLOODED_WITHIN_S = 40.0
MEMORY_MAX_MIB = 40.0
STUN_REQUEST = b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12)
Attack = Callable[[Party, int], None]


class Scene:
    """The unit, an honest party that is sent pictures all the time, and what became of each attack."""

    def __init__(self, unit: Child, honest: Party) -> None:
        self.unit = unit
        self.honest = honest
        self._count = 0

    async def attacker(self) -> Party:
        self._count += 1
        return await Party(self.unit, f"evil-{self._count}").join()

    async def watched(self, name: str, attack: Awaitable[object]) -> None:
        """Play an attack; the honest party must have received as in any other second."""
        await self.unit.ask("watch")
        began, before = time.monotonic(), self.honest.received
        await attack
        fares, elapsed_s = await self.unit.ask("fares"), time.monotonic() - began
        per_s = (self.honest.received - before) / elapsed_s
        print(f"{name:34} {fares['stall_ms']:8} ms {per_s:6.0f} packets/s {fares['rss_mib']:7} MiB")
        deadline, before = time.monotonic() + 20, self.honest.received
        while self.honest.received < before + 30:
            assert time.monotonic() < deadline, f"the honest party was left without pictures by {name}"
            await asyncio.sleep(0.02)

    async def for_a_while(self, attack: Attack, batch: int = 20, seconds: float = ATTACK_S) -> Party:
        """So many of them at a time, as fast as this process can beside the honest party's work."""
        evil, number, until = await self.attacker(), 0, time.monotonic() + seconds
        while time.monotonic() < until:
            for _ in range(batch):
                attack(evil, number)
                number += 1
            await asyncio.sleep(0.005)
        return evil

    async def for_a_while_and_gone(self, attack: Attack) -> None:
        evil = await self.for_a_while(attack)
        await self.unit.ask("disconnect", peer=evil.name)
        await evil.close()

    async def until_ended(self, attack: Attack, reason: str) -> None:
        """Until the unit gives the attacker up, for this reason."""
        evil, number, until = await self.attacker(), 0, time.monotonic() + FLOODED_WITHIN_S
        while not (failed := (await self.unit.ask("fares"))["failed"].get(evil.name)):
            assert time.monotonic() < until, f"no end was made of {reason}"
            for _ in range(500):
                attack(evil, number)
                number += 1
            await asyncio.sleep(0.001)
        assert failed == reason
        await evil.close()

    async def leaves(self, evil: Party) -> None:
        assert evil.name not in (await self.unit.ask("fares"))["failed"]
        await self.unit.ask("disconnect", peer=evil.name)
        await evil.close()


def garbage(evil: Party, number: int) -> None:
    """Of each protocol's first byte, from nothing to the most that UDP carries."""
    first = (0x80, 0x16, 0x00, 0x17, 0x40, 0xFF, 0x81, 0x01)[number % 8]
    size = (1, 2, 11, 12, 19, 20, 200, 1200, 1500, 1501, 9000, 65_507)[number // 8 % 12]
    evil.send_raw(bytes([first]) + os.urandom(size - 1))


def stun(evil: Party, number: int) -> None:
    evil.send_raw(STUN_REQUEST)


def absurd(evil: Party, number: int) -> None:
    for kind, data in hostile.flood(number, 6):
        evil.send(kind, data)


def new_ssrc(evil: Party, number: int) -> None:
    evil.send("rtp", hostile.rtp(evil.h264, number & 0xFFFF, number, number, bytes(1000)))


def picture(evil: Party, number: int) -> None:
    evil.send("rtp", hostile.rtp(evil.h264, number & 0xFFFF, number, 7, bytes(50)))


def lies(evil: Party, number: int) -> None:
    for reference in (0, 0x7FFFFF, 0x800000, 0xFFFFFF):
        evil.send("rtcp", hostile.feedback(number & 0xFFFF, 4000, reference, b"\x3f\xa0" + os.urandom(900)))
    evil.send("rtcp", hostile.remb(0, 0) + hostile.remb(0x3FFFF, 63))


def everything_again(evil: Party, number: int) -> None:
    for ssrc in evil.ssrcs:
        evil.send(
            "rtcp", rtcp.build_nack(1, ssrc, [n & 0xFFFF for n in range(number * 977, number * 977 + 4000)])
        )


@contextmanager
def doors(count: int) -> Iterator[list[socket.socket]]:
    """UDP sockets of others, whom the unit has no reason to send anything."""
    opened = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for each in opened:
        each.bind((LOOPBACK, 0))
        each.setblocking(False)
    try:
        yield opened
    finally:
        for each in opened:
            each.close()


def was_knocked_at(door: socket.socket) -> bool:
    try:
        return bool(door.recv(2048))
    except BlockingIOError:
        return False


async def knock_everywhere(scene: Scene) -> None:
    """300 candidates for others' ports, in the answer and after it."""
    party = Party(scene.unit, "scanner")
    with doors(100) as others:
        ports = [door.getsockname()[1] for door in others] * 3
        lines = [f"candidate:1 1 udp 2113937151 {LOOPBACK} {port} typ host" for port in ports]
        sdp = await party.answer()
        await party.close()  # who is connected is not checked for elsewhere
        own = next(line for line in sdp.splitlines() if line.startswith("a=candidate:"))
        sdp = sdp.replace(own, "\r\n".join(f"a={line}" for line in lines[:150]))
        await scene.unit.ask("answer", peer="scanner", sdp=sdp)
        for line in lines[150:]:
            candidate = {"candidate": line, "sdpMid": "0", "sdpMLineIndex": 0}
            await scene.unit.ask("candidate", peer="scanner", candidate=candidate)
        await asyncio.sleep(2)
        assert 0 < sum(was_knocked_at(door) for door in others) <= CANDIDATES_MAX
    await scene.unit.ask("disconnect", peer="scanner")


async def broken_descriptions(scene: Scene) -> None:
    """As answers of parties, and as offers of whoever reaches the touchscreen's local API."""
    sections = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\n"
    texts = [
        "",
        "v=0\r\n",
        "v=0\r\nm=video",
        "x" * 70_000,
        "v=0\r\n" + sections * 900,
        "v=0\r\n" + "a=x\r\n" * 12_000,
    ]
    texts.append("v=0\r\n" + sections + "a=rtpmap:111 opus/48000/2\r\n" * 1400)
    texts.append(
        "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF" + " 96" * 20_000 + "\r\n" + "a=rtpmap:96 H264/90000\r\n" * 100
    )
    for number, text in enumerate(texts):
        peer = f"broken-{number}"
        await scene.unit.ask("connect", peer=peer)
        await scene.unit.ask("answer", peer=peer, sdp=text)
        assert (await scene.unit.ask("fares"))["failed"][peer].startswith("bad_answer")
        assert (await scene.unit.ask("kiosk", resource=f"peer/{peer}", sdp=text)).get("refused")


async def strangers(scene: Scene) -> None:
    """Who has no part in the call but knows the port."""
    place, until = scene.honest.unit_address, time.monotonic() + ATTACK_S
    with doors(20) as others:
        while time.monotonic() < until:
            for number, other in enumerate(others * 5):
                data = STUN_REQUEST if number % 2 else b"\x16\xfe\xfd" + os.urandom(300)
                other.sendto(data, place)
            await asyncio.sleep(0.005)


async def keyframe_requests(scene: Scene) -> None:
    """A hundred a second."""
    evil = await scene.attacker()
    before = (await scene.unit.ask("fares"))["keyframes"]
    began = time.monotonic()
    for _ in range(300):
        for ssrc in evil.ssrcs:
            evil.send("rtcp", rtcp.build_keyframe_request(1, ssrc))
        await asyncio.sleep(0.01)
    keyframes = (await scene.unit.ask("fares"))["keyframes"] - before
    assert keyframes <= 2 * (time.monotonic() - began) + 2
    await scene.leaves(evil)


async def repeats(scene: Scene) -> None:
    """The whole history again and again: the attacker is not sent many times what the honest party is."""
    evil = await scene.for_a_while(everything_again, batch=2, seconds=3)
    sent = (await scene.unit.ask("fares"))["bytes_sent"]
    assert sent[evil.name] < 2 * sent["honest"] + 500_000
    await scene.leaves(evil)


async def giant_message(scene: Scene) -> None:
    """One message of 8 MiB: no more of it is taken in than a message may have."""
    evil = await scene.attacker()
    evil.connection.sctp._remote_max_message_size = 1 << 30
    evil.channel.send(bytes(8 << 20))
    until = time.monotonic() + FLOODED_WITHIN_S
    while evil.name not in (failed := (await scene.unit.ask("fares"))["failed"]):
        assert time.monotonic() < until, "no end was made of a giant message"
        await asyncio.sleep(0.1)
    assert failed[evil.name] == "flooding: data channel"
    await evil.close()


async def messages(scene: Scene) -> None:
    """As many small ones as the line carries."""
    evil, until = await scene.attacker(), time.monotonic() + FLOODED_WITHIN_S
    while evil.name not in (failed := (await scene.unit.ask("fares"))["failed"]):
        assert time.monotonic() < until, "no end was made of a flood of messages"
        for _ in range(200):
            if evil.channel.readyState == "open":
                evil.channel.send('{"type":"state"}')
        await asyncio.sleep(0.05)
    assert failed[evil.name] in ("flooding: messages", "flooding: data channel")
    await evil.close()


async def play() -> None:
    unit = await Child.start("tests.end_to_end.hostile_unit")
    try:
        scene = Scene(unit, await Party(unit, "honest").join())
        await asyncio.sleep(1)
        print()
        at_first = (await unit.ask("fares"))["rss_mib"]
        await scene.watched("nothing", asyncio.sleep(ATTACK_S))
        for name, attack in (
            ("garbage of every size", garbage),
            ("STUN", stun),
            ("absurd RTP and RTCP", absurd),
            ("feedback that lies", lies),
            ("packets of thousands of sources", new_ssrc),
        ):
            await scene.watched(name, scene.for_a_while_and_gone(attack))
        await scene.watched("RTP", scene.until_ended(picture, "flooding: RTP"))
        await scene.watched("RTCP", scene.until_ended(lies, "flooding: RTCP"))
        for each in (
            strangers, keyframe_requests, repeats, giant_message, messages, knock_everywhere, broken_descriptions
        ):  # fmt: skip
            await scene.watched(each.__name__.replace("_", " "), each(scene))
        late = await Party(unit, "late").join()
        await late.close()
        fares = await unit.ask("fares")
        assert "honest" not in fares["failed"]
        assert fares["rss_mib"] - at_first < MEMORY_MAX_MIB
        await scene.honest.close()
    finally:
        await unit.close()


def test_whatever_one_party_sends_the_other_goes_on_seeing() -> None:
    asyncio.run(play())
