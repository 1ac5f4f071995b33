"""A thin line in simulated time: an encoder, our sending session, a queue that loses and delays, a receiver.

Everything but the line and the encoder is the product's own. Nothing reads a wall clock, and a seed makes each
run repeatable, so that a test may ask how long something took.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.media.congestion import CongestionController
from agent.media.ladder import Ladder
from agent.media.negotiation import TRANSPORT_CC, MediaSection
from agent.media.packetizer import PacketizedFrame
from agent.media.rtp_packet import RtpPacket, SequenceUnwrapper
from agent.media.rtp_session import RtpSession
from agent.media.source import EncodingTarget
from tests.agent.media.clock import StillLoop

PAYLOAD_BYTES = 1180
UDP_BYTES = 28 + 10  # IP and UDP headers, SRTP's tag
KEYFRAME_FACTOR = 4  # an encoder's buffer of 80 ms allows no more
SCENE_S = 4.4  # so often all of the picture changes, which costs as much as a keyframe
PATIENCE_S = 1.0  # a receiver whose picture stands still for so long asks for a keyframe


@dataclass(frozen=True)
class LineCase:
    """capacity: bit/s by seconds since the start. Delays are one way; queue_s is what the router keeps.

    burst: packets lost in a row on the average, if loss comes in bursts (Gilbert-Elliott).
    noise_s: how late the receiver's processor may get round to a packet, now and then. stall_s: up to so long
    does it nothing at all, four times a second or so. The line is not to blame for either.
    back_loss: of what comes back; it comes in bursts if the other does.
    feedback: whether the receiver's reports come through, by seconds since the start.
    """

    capacity: Callable[[float], float] = lambda _: 50e6
    queue_s: float = 0.3
    delay_s: float = 0.02
    jitter_s: float = 0.0
    loss: float = 0.0
    burst: float = 0.0
    noise_s: float = 0.0
    stall_s: float = 0.0
    back_loss: float = 0.0
    feedback: Callable[[float], bool] = lambda _: True
    complexity: float = 1.0  # what share of its target the encoder uses up
    has_transport_cc: bool = True


class Line:
    """One direction: a queue that drains at the case's capacity, then delay, in the order it came."""

    def __init__(self, loop: StillLoop, case: LineCase, rng: random.Random) -> None:
        self._loop, self._case, self._rng, self._start = loop, case, rng, loop.now
        self._free_at = self._came_at = loop.now
        self._bad = False
        self._stall = loop.now, loop.now
        self.bits = 0
        self.waits: list[tuple[float, float]] = []
        self.dropped = 0

    def send(self, data: bytes, deliver: Callable[[bytes, float], None]) -> None:
        now, case = self._loop.now, self._case
        wait = max(0.0, self._free_at - now)
        self.waits.append((now - self._start, wait))
        if wait > case.queue_s:
            self.dropped += 1
            return
        size = (len(data) + UDP_BYTES) * 8
        self._free_at = max(now, self._free_at) + size / case.capacity(now - self._start)
        if self._loses():
            return
        self.bits += size
        late = self._rng.random() * case.jitter_s
        if case.noise_s and self._rng.random() < 0.02:
            late += self._rng.random() * 2 * case.noise_s
        came_at = self._free_at + case.delay_s + late
        if case.stall_s:
            while self._stall[1] < came_at:
                begins = self._stall[1] + self._rng.expovariate(4.0)
                self._stall = begins, begins + self._rng.random() * case.stall_s
            if came_at > self._stall[0]:
                came_at = self._stall[1]
        self._came_at = max(self._came_at, came_at)
        self._loop.call_later(self._came_at - now, deliver, data, self._came_at)

    def _loses(self) -> bool:
        case, draw = self._case, self._rng.random()
        if not case.burst:
            return draw < case.loss
        leave = 1 / case.burst
        self._bad = draw > leave if self._bad else draw < leave * case.loss / (1 - case.loss)
        return self._bad


class Encoder:
    """Frames of about the target's rate, a keyframe KEYFRAME_FACTOR times larger; it follows with a lag."""

    def __init__(self, rng: random.Random, complexity: float) -> None:
        self.target = EncodingTarget(1_500_000, 30.0, 1280, 720)
        self.keyframe_wanted = True
        self.skip_until = 0.0
        self.frames = self.skipped = self.keyframes = 0
        self._rng, self._complexity = rng, complexity
        self._rate = float(self.target.bit_rate)
        self._debt = 0.0
        self._scene_at = 0.0
        self._size = (0, 0)
        self._keyframe_at = 0.0

    def encode(self, now: float) -> PacketizedFrame | None:
        """A frame captured now, or None where it is to be skipped."""
        target = self.target
        if now < self.skip_until:
            self.skipped += 1
            return None
        self._rate += (target.bit_rate - self._rate) * 0.5
        wanted = self._rate / target.frame_rate / 8
        keyframe = (self.keyframe_wanted and now - self._keyframe_at >= 0.5) or self._size != (
            target.width,
            target.height,
        )
        if keyframe:
            self._scene_at = now
            self.keyframe_wanted, self._keyframe_at = False, now
            self._size = (target.width, target.height)
            self.keyframes += 1
            size = wanted * KEYFRAME_FACTOR
            self._debt = size - wanted
        elif now - self._scene_at >= SCENE_S:
            self._scene_at = now
            size = wanted * KEYFRAME_FACTOR
            self._debt = size - wanted
        else:
            size = wanted * self._complexity * self._rng.uniform(0.75, 1.25)
            pays = min(self._debt, size * 0.4)  # rate control earns a keyframe back over the next ones
            self._debt -= pays
            size -= pays
        self.frames += 1
        count = max(1, -(-int(size) // PAYLOAD_BYTES))
        mark = bytes([keyframe]) + round(now * 1e6).to_bytes(8, "big")
        payloads = (mark + bytes(max(0, int(size) // count - len(mark))),) * count
        return PacketizedFrame(payloads, int(now * 90_000), now, keyframe)


@dataclass
class Figures:
    """What came of a run; times are seconds since the start."""

    rates: list[tuple[float, int]] = field(default_factory=list)
    waits: list[tuple[float, float]] = field(default_factory=list)
    latencies: list[tuple[float, float]] = field(default_factory=list)  # shown at, since capture
    used: float = 0.0
    encoder: Encoder | None = None
    resent: int = 0
    targets: list[tuple[float, EncodingTarget]] = field(default_factory=list)

    def latency(self, share: float, start: float = 0.0, end: float = 1e9) -> float:
        return _quantile([late for at, late in self.latencies if start <= at < end], share)

    def wait(self, share: float, start: float = 0.0, end: float = 1e9) -> float:
        return _quantile([wait for at, wait in self.waits if start <= at < end], share)

    def rate(self, start: float, end: float) -> float:
        chosen = [rate for at, rate in self.rates if start <= at < end]
        return sum(chosen) / len(chosen)

    def lowest(self, start: float, end: float) -> int:
        return min(rate for at, rate in self.rates if start <= at < end)

    def frozen(self, start: float = 0.0, end: float = 1e9) -> float:
        """Share of time without a new picture for 150 ms and more over the average (W3C webrtc-stats)."""
        shown = [at for at, _ in self.latencies if start <= at < end]
        if len(shown) < 2:
            return 1.0
        gaps = [b - a for a, b in itertools.pairwise(shown)]
        usual = sum(gaps) / len(gaps)
        limit = max(3 * usual, usual + 0.15)
        return sum(gap for gap in gaps if gap > limit) / (shown[-1] - shown[0])

    def frame_rate(self, start: float, end: float) -> float:
        return sum(start <= at < end for at, _ in self.latencies) / (end - start)

    def settled(self, after: float, least: float, most: float) -> float:
        """Seconds from `after` until the estimate is between both, and the line's queue is under 100 ms."""
        waits = iter(self.waits)
        wait: tuple[float, float] = next(waits)
        for at, rate in self.rates:
            while wait[0] < at:
                wait = next(waits, (1e9, 0.0))
            if at > after and least <= rate <= most and wait[1] < 0.1:
                return at - after
        return float("inf")


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[int(share * (len(values) - 1))] if values else float("inf")


class Screen:
    """Puts pictures together as a browser does: in order, each whole; a whole keyframe lets it jump a hole."""

    def __init__(self, figures: Figures, start: float) -> None:
        self._figures, self._start = figures, start
        self._unwrap = SequenceUnwrapper().unwrap
        self._packets: dict[int, RtpPacket] = {}
        self._next: int | None = None
        self.moved_at = start

    def add(self, packet: RtpPacket, now: float) -> None:
        number = self._unwrap(packet.sequence_number)
        if self._next is None:
            self._next = number
        if number >= self._next:
            self._packets[number] = packet
            if number != self._next:
                self._jump()
            self._show(now)

    def _show(self, now: float) -> None:
        position, shown = self._next, self._next
        while (packet := self._packets.get(position)) is not None:
            position += 1
            if packet.marker:
                captured_at = int.from_bytes(packet.payload[1:9], "big") / 1e6
                self._figures.latencies.append((now - self._start, now - captured_at))
                self.moved_at, shown = now, position
        for number in range(self._next, shown):
            del self._packets[number]
        self._next = shown

    def _jump(self) -> None:
        begun: int | None = None
        timestamp = -1
        for number in sorted(self._packets):
            packet = self._packets[number]
            if packet.timestamp != timestamp or number - 1 not in self._packets:
                fresh = packet.timestamp != timestamp and packet.payload[0] == 1
                begun, timestamp = number if fresh else None, packet.timestamp
            if packet.marker and begun is not None and begun > self._next:
                if number - 1 in self._packets or number == begun:
                    self._packets = {n: p for n, p in self._packets.items() if n >= begun}
                    self._next = begun
                return


class Simulation:
    """Runs one case; everything is ticked every 25 ms, as Call does."""

    def __init__(self, case: LineCase, *, seed: int = 1, start_bit_rate: int = 1_500_000) -> None:
        self.loop = StillLoop()
        self.case = case
        self._start = self.loop.now
        rng = random.Random(seed)
        self.line, self.back = (
            Line(self.loop, case, rng),
            Line(self.loop, LineCase(delay_s=case.delay_s), rng),
        )
        self.encoder = Encoder(rng, case.complexity)
        self.controller = CongestionController(start_bit_rate)
        self.figures = Figures(waits=self.line.waits, encoder=self.encoder)
        extensions = {TRANSPORT_CC: 4} if case.has_transport_cc else {}
        video = MediaSection("video", {"H264": 100}, {100: 101}, extensions, (1,), {2: 1}, True, True)
        audio = MediaSection("audio", {"opus": 111}, {}, extensions, (3,), {}, True, True)
        self.sender = RtpSession(
            self._send_rtp, self._send_rtcp, self, cname="x", controller=self.controller, loop=self.loop
        )
        self.receiver = RtpSession(lambda _: True, self._send_back, self, cname="y", loop=self.loop)
        self.video = self.sender.send_on(video, (1, 2), self._want_keyframe)
        self.audio = self.sender.send_on(audio, (3, 4))
        # A browser knows its round trip; without it the receiver would ask again too late.
        self.receiver.send_on(video, (21, 22)).round_trip_s = 2 * case.delay_s + case.jitter_s
        self.receiver.receive_on([video, audio], [video, audio])
        self.screen = Screen(self.figures, self._start)
        self.ladder = Ladder()

    def _want_keyframe(self) -> None:
        self.encoder.keyframe_wanted = True

    def _send_rtp(self, data: bytes) -> bool:
        self.line.send(data, self.receiver.on_rtp)
        return True

    def _send_rtcp(self, data: bytes) -> bool:
        self.line.send(data, lambda data, _: self.receiver.on_rtcp(data))
        return True

    def _send_back(self, data: bytes) -> bool:
        if self.case.feedback(self.loop.now - self._start):
            self.back.send(data, lambda data, _: self.sender.on_rtcp(data))
        return True

    def on_media(self, kind: str, codec: str, packet: RtpPacket, now: float) -> None:
        if kind == "video":
            self.screen.add(packet, now)

    def on_sender_report(self, kind: str, ssrc: int, timestamp: int, ntp_s: float) -> None:
        """Not of interest here."""

    def run(self, seconds: float) -> Figures:
        """Play for so long."""
        for begin in (self._capture, self._sound, self._tick):
            self.loop.call_later(0.0, begin)
        self.loop.advance(seconds)
        capacity = sum(self.case.capacity(i / 10) for i in range(int(seconds * 10))) / 10
        self.figures.used = self.line.bits / capacity
        self.figures.resent = self.video.packets_resent
        return self.figures

    def _capture(self) -> None:
        frame = self.encoder.encode(self.loop.now)
        if frame is not None:
            self.video.send_frame(frame, "H264", self.loop.now)
        self.loop.call_later(1 / self.encoder.target.frame_rate, self._capture)

    def _sound(self) -> None:
        now = self.loop.now
        self.audio.send_frame(PacketizedFrame((bytes(80),), int(now * 48_000), now, True), "opus", now)
        self.loop.call_later(0.02, self._sound)

    def _tick(self) -> None:
        now = self.loop.now
        self.sender.tick(now)
        self.receiver.tick(now)
        if now - self.screen.moved_at > PATIENCE_S:
            self.screen.moved_at = now
            self.receiver.request_keyframe()
        self._steer(now)
        self.figures.rates.append((now - self._start, self.controller.bit_rate))
        self.loop.call_later(0.025, self._tick)

    def _steer(self, now: float) -> None:
        if self.sender.sending.is_backed_up:
            self.encoder.skip_until = now + 0.05
        self.encoder.target = self.ladder.target(self.sender.sending.picture_bit_rate, now)
