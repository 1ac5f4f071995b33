"""One connection with one remote party: we offer, the browser answers (W3C WebRTC, RFC 8829)."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence

from agent.media.aiortc_internals import LOOPBACK, host_addresses
from agent.media.allowance import Allowance
from agent.media.blob import send_blob
from agent.media.congestion import MAX_BIT_RATE, CongestionController
from agent.media.connection import KINDS, Connection
from agent.media.facts import (
    CallSettings,
    Connected,
    ConnectionFailed,
    Fact,
    FailureReason,
    IceServer,
    KindStats,
    LocalCandidate,
    LocalOffer,
    MediaFlowing,
    PeerGone,
    PeerMessage,
    PeerStats,
)
from agent.media.ice_gathering import NoRelay, TransportSettings
from agent.media.media_socket import NoFreePort
from agent.media.negotiation import MediaKind, MediaSection, NegotiationError
from agent.media.packetizer import SharedPacketizer
from agent.media.peer_use import EVERYTHING, PeerUse
from agent.media.picture_switch import PictureSwitch
from agent.media.remote_media import RemoteMedia
from agent.media.rtp_packet import RtpPacket
from agent.media.rtp_stream import FrameSender, RtpStream
from agent.media.server_finder import ServerFinder
from agent.media.source import Codec, EncodingName, Unsubscribe
from agent.media.steering import PartyLine

logger = logging.getLogger(__name__)

DATA_CHANNEL = "halsorum"
MESSAGE_BYTES_MAX = 16 * 1024
MESSAGES_PER_S, MESSAGES_BURST = 20, 60  # chat and states come seldom; a page's bug must not become ours
_WAITING_MESSAGES_MAX = 32
UNREAD_BYTES_MAX = 256 * 1024  # for a page that takes nothing in any more; a still has 64 KiB under way


def transport_settings(settings: CallSettings) -> TransportSettings:
    """Where remote parties may reach us: the machine's own addresses, and loopback if a setting says so."""
    chosen = list(settings.addresses) if settings.addresses is not None else host_addresses()
    if settings.loopback_candidates and LOOPBACK not in chosen:
        chosen.append(LOOPBACK)
    return TransportSettings(
        tuple(chosen), ports=settings.media_ports, dscp=settings.dscp, relay_only=settings.relay_only
    )


class Peer:
    """One attempt to be connected with the party `name`. Facts say how it goes; nothing is raised.

    start_bit_rate: what the line to this party was last known to carry, if it was.
    """

    def __init__(
        self,
        name: str,
        attempt: int,
        *,
        sources: Callable[[Codec], SharedPacketizer | None],
        media: RemoteMedia,
        settings: CallSettings,
        on_fact: Callable[[Fact], None],
        ice_servers: Sequence[IceServer] = (),
        finder: ServerFinder | None = None,
        start_bit_rate: int | None = None,
        use: PeerUse = EVERYTHING,
    ) -> None:
        self.name = name
        self.attempt = attempt
        self.connected = False
        self.encoding: EncodingName = "full"
        self.controller = CongestionController(min(start_bit_rate or MAX_BIT_RATE, settings.start_bit_rate))
        self._sources = sources
        self._media = media
        self._settings = settings
        self._on_fact = on_fact
        self._loop = asyncio.get_running_loop()
        self._flowing: set[MediaKind] = set()
        self._subscriptions: list[Unsubscribe] = []
        self._sounds: list[tuple[Codec, SharedPacketizer, RtpStream]] = []
        self._answered = False
        self._pictures: PictureSwitch | None = None
        self._picture: tuple[Codec, SharedPacketizer, RtpStream] | None = None
        self._use, self._sees = use, use.sees
        self._waiting_messages: list[str] = []
        self._timeout: asyncio.TimerHandle | None = None
        self._early_candidates: list[LocalCandidate] | None = []
        self._ended = False
        self.connection = Connection(
            self,
            self._on_state,
            transport=transport_settings(settings),
            direction="recvonly" if use.only_shows else "sendrecv",
            cname="halsorum",
            controller=self.controller,
            ice_servers=ice_servers,
            finder=finder,
            on_candidate=self._on_candidate,
            data_channel=None if use.only_shows else DATA_CHANNEL,
            kinds=("video",) if use.only_shows else KINDS,
            # A browser plays no sound beside a picture of which nothing ever comes.
            picture_direction=None if use.sees else "inactive",
            on_flood=self._on_flood,
        )
        self._messages = Allowance(MESSAGES_PER_S, MESSAGES_BURST)
        self.session = self.connection.session
        channel = self.connection.channel
        if channel is not None:
            channel.on("open", self._flush_messages)
            channel.on("message", self._on_message)

    async def offer(self) -> None:
        """Make the offer; a LocalOffer follows."""
        try:
            sdp = await self.connection.offer()
        except NoFreePort as error:
            self.fail("no_free_port", error.strerror or "")
        except (NoRelay, TimeoutError):
            self.fail("no_relay", "only TURN is allowed, and no TURN server gave a relayed address")
        except Exception as error:
            self.fail("engine_error", type(error).__name__)
        else:
            self._tell(LocalOffer(self.name, self.attempt, sdp))
            early, self._early_candidates = self._early_candidates, None
            for fact in early or ():
                self._tell(fact)

    def _on_candidate(self, candidate: str, sdp_mid: str | None) -> None:
        fact = LocalCandidate(self.name, self.attempt, candidate, sdp_mid)
        if self._early_candidates is not None:
            self._early_candidates.append(fact)  # the offer goes first
        else:
            self._tell(fact)

    async def answer(self, sdp: str) -> None:
        """Apply the browser's answer and let the connection be made."""
        try:
            sections = await self.connection.accept_answer(sdp)
        except NegotiationError as error:
            self.fail("bad_answer", str(error))
            return
        for section in sections if not self._use.only_shows else ():
            codec = self._choose_codec(section.payload_types)
            source = self._sources(codec) if codec is not None else None
            if codec is None or source is None:
                self.fail("no_common_codec", section.kind)
                return
            if section.receives:
                self._send_on(section, codec, source)
        self._answered = True
        if not self._ended:
            self._timeout = self._loop.call_later(
                self._settings.connect_timeout_s, self.fail, "timeout", "no connection after the answer"
            )
            if self.connection.state == "connected":
                self._on_state("connected")

    def _send_on(self, section: MediaSection, codec: Codec, source: SharedPacketizer) -> None:
        request_keyframe = source.source.request_keyframe
        if section.kind == "video":
            self._pictures = PictureSwitch(codec, self._loop)
            request_keyframe = self._pictures.request_keyframe
        stream = self.session.send_on(section, self.connection.local_ssrcs(section.kind), request_keyframe)
        if section.kind == "video":
            self._picture = codec, source, stream
        else:
            self._sounds.append((codec, source, stream))

    @property
    def picture_codec(self) -> Codec | None:
        """In which form this party gets our picture; None if it gets none."""
        return self._picture[0] if self._picture is not None and self._sees else None

    def show(self, sees: bool) -> bool:
        """Send our picture from now on, or no longer; False if this connection has no place for one."""
        if sees != self._sees:
            self._sees = sees
            if self.connected:
                self._feed_picture()
        return not sees or self._picture is not None or not self._answered

    def _feed_picture(self) -> None:
        if self._pictures is None or self._picture is None:
            return
        if self._sees:
            _, source, stream = self._picture
            self._pictures.feed(stream, source)
        else:
            self._pictures.close()

    def follow(self, source: SharedPacketizer) -> None:
        """From its next keyframe on, send that encoding of our picture."""
        if self._pictures is not None:
            self._pictures.follow(source)

    def _choose_codec(self, answered: Mapping[Codec, int]) -> Codec | None:
        order: tuple[Codec, ...] = ("H264", "VP8", "opus")
        return next(
            (codec for codec in order if codec in answered and self._sources(codec) is not None), None
        )

    def _on_state(self, state: str) -> None:
        if self._ended:
            return
        if state == "connected" and not self.connected and self._timeout is not None:
            self.connected = True
            self._timeout.cancel()
            self.session.heard_at = self._loop.time()
            for codec, source, stream in self._sounds:
                self._subscriptions.append(source.subscribe(FrameSender(stream, codec, self._loop)))
            if self._pictures is not None:
                self._subscriptions.append(self._pictures.close)
                self._feed_picture()
            self._tell(Connected(self.name))
        elif state == "failed":
            self.fail("ice_failed" if self.connection.ice_failed else "dtls_failed")
        elif state == "closed":
            self._end()
            self._tell_always(PeerGone(self.name))

    def fail(self, reason: FailureReason, detail: str = "") -> None:
        """Give this connection up, and say why."""
        if not self._ended:
            self._end()
            self._tell_always(ConnectionFailed(self.name, reason, detail))

    def _on_flood(self, kind: str) -> None:
        if not self._ended:
            logger.warning("A party floods us (%s): its connection is closed", kind)
            self.fail("flooding", kind)

    def _end(self) -> None:
        self._ended = True
        self.connected = False
        if self._timeout is not None:
            self._timeout.cancel()
        for unsubscribe in self._subscriptions:
            unsubscribe()
        self._subscriptions.clear()

    def _tell(self, fact: Fact) -> None:
        if not self._ended:
            self._on_fact(fact)

    def _tell_always(self, fact: Fact) -> None:
        self._on_fact(fact)

    @property
    def ended(self) -> bool:
        return self._ended

    @property
    def silent_for_s(self) -> float:
        """Seconds since the last packet of this party, or 0 before it is connected."""
        heard = self.session.heard_at
        return 0.0 if not self.connected or heard is None else self._loop.time() - heard

    @property
    def line(self) -> PartyLine:
        """What this party's line leaves for pictures."""
        sending = self.session.sending
        assert sending is not None, "a party's connection has congestion control"
        return PartyLine(self.picture_codec != "VP8", sending.picture_bit_rate, sending.is_backed_up)

    @property
    def fraction_lost(self) -> float:
        """Of what we send to this party, 0 to 1, before anything is repaired."""
        audio = self.session.streams.get("audio")
        return max(self.controller.fraction_lost, audio.fraction_lost / 256 if audio else 0.0)

    def on_media(self, kind: MediaKind, codec: Codec, packet: RtpPacket, now: float) -> None:
        """RtpListener: straight on to the kiosk; a party that does not see is not seen either."""
        if kind not in self._flowing:
            self._flowing.add(kind)
            self._tell(MediaFlowing(self.name, kind))
        if self._sees or kind == "audio":
            self._media.on_media(kind, codec, packet, now)

    def on_sender_report(
        self, kind: MediaKind, ssrc: int, rtp_timestamp: int, ntp_on_our_clock_s: float
    ) -> None:
        """RtpListener: the kiosk's reports are made from the party's own."""
        self._media.on_sender_report(kind, ssrc, rtp_timestamp, ntp_on_our_clock_s)

    def send_message(self, text: str) -> None:
        """Send over the data channel now, or once it opens; dropped when it is closed, or nobody reads it."""
        channel = self.connection.channel
        if channel is None or self._ended:
            return
        if channel.readyState == "open":
            if channel.bufferedAmount <= UNREAD_BYTES_MAX:
                channel.send(text)
        elif channel.readyState == "connecting" and len(self._waiting_messages) < _WAITING_MESSAGES_MAX:
            self._waiting_messages.append(text)

    async def send_blob(self, header: str, data: bytes) -> bool:
        """Send a message and, after it, these bytes in pieces; False if not all of it went out."""
        channel = self.connection.channel
        if channel is None or self._ended or channel.readyState != "open":
            return False
        channel.send(header)
        return await send_blob(channel, data, lambda: (self.controller.bit_rate, self.controller.is_full))

    def _flush_messages(self) -> None:
        waiting, self._waiting_messages = self._waiting_messages, []
        for text in waiting:
            self.send_message(text)

    def _on_message(self, message: object) -> None:
        if self._ended or not self._messages.take(self._loop.time()):
            if self._messages.flooded:
                self._on_flood("messages")
            return
        if not isinstance(message, str) or len(message) > MESSAGE_BYTES_MAX:
            return
        try:
            value = json.loads(message)
        except (ValueError, RecursionError):
            return
        if isinstance(value, dict):
            self._tell(PeerMessage(self.name, value))

    def stats(self) -> PeerStats:
        received = {}
        for kind in KINDS:
            total = self.session.received(kind)
            received[kind] = KindStats(
                total.packets, total.octets, total.packets_lost, total.recovered, total.jitter_s
            )
        streams = self.session.streams.values()
        video = self.session.streams.get("video")
        return PeerStats(
            attempt=self.attempt,
            connected=self.connected,
            round_trip_s=self.session.round_trip_s,
            bit_rate=self.controller.bit_rate,
            picture_bit_rate=self.line.bit_rate,
            encoding=self.encoding,
            queue_ms=self.session.link.queue_s * 1000,
            bytes_sent=self.session.link.bytes_sent,
            fraction_lost=video.fraction_lost / 256 if video else 0.0,
            keyframe_requests=video.keyframe_requests if video else 0,
            packets_resent=sum(stream.packets_resent for stream in streams),
            received=received,
        )

    async def close(self) -> None:
        """End without a fact."""
        self._end()
        await self.connection.close()
