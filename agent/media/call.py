"""All connections of one session: remote parties, the kiosk that shows them, one encoder for all."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from agent.media.facts import (
    CallSettings,
    CallStats,
    Connected,
    ConnectionFailed,
    Fact,
    IceServer,
    KioskAnswer,
    MediaBack,
    MediaFlowing,
    MediaLost,
    PeerGone,
)
from agent.media.kiosk import KioskView
from agent.media.negotiation import NegotiationError, offered_kinds
from agent.media.packetizer import SharedPacketizer
from agent.media.peer import MESSAGE_BYTES_MAX, Peer
from agent.media.peer_use import EVERYTHING, PeerUse
from agent.media.remote_media import RemoteMedia
from agent.media.server_finder import ServerFinder
from agent.media.source import Codec, EncodedSource, EncodingName, EncodingTarget
from agent.media.steering import Steering

logger = logging.getLogger(__name__)

TICK_S = 0.025
STEER_INTERVAL_TICKS = 2
LOSS_INTERVAL_TICKS = 40
LOSS_SMOOTHING = 0.3
SKIP_S = 0.06  # a little longer than the time between two looks at the lines
TARGET_CHANGE = 0.03  # smaller changes of bitrate are not worth telling the encoder
KIOSK_SELF = "self"
KIOSK_PEER_PREFIX = "peer/"
KIOSK_VIEWS_MAX = 16

VideoFactory = Callable[[], EncodedSource]


class Call:
    """Exists from waiting on, since the self-view needs it. Everything runs on the event loop.

    fallback_video makes the shared VP8 encoder, the first time that a party has no H.264; small_video the
    second H.264 encoder, the first time that one party is much slower than another. finder knows which STUN
    and TURN servers work from here.
    Remote parties' faults come as facts; only the kiosk's own offers raise (NegotiationError).
    """

    def __init__(
        self,
        video: EncodedSource,
        audio: EncodedSource,
        *,
        on_fact: Callable[[Fact], None],
        settings: CallSettings,
        fallback_video: VideoFactory | None = None,
        finder: ServerFinder | None = None,
        small_video: VideoFactory | None = None,
    ) -> None:
        self._on_fact = on_fact
        self._settings = settings
        self._sources: dict[Codec, SharedPacketizer] = {
            video.codec: SharedPacketizer(video),
            audio.codec: SharedPacketizer(audio),
        }
        self._video = self._sources[video.codec]
        self._audio = audio
        self._fallback_video, self._small_video = fallback_video, small_video
        self._small: SharedPacketizer | None = None
        self._finder = finder or ServerFinder()
        self._peers: dict[str, Peer] = {}
        self._rebuilt: dict[str, Peer] = {}
        self._media: dict[str, RemoteMedia] = {}
        self._lost: set[str] = set()
        self._views: dict[str, KioskView] = {}
        self._steering = Steering(settings.start_bit_rate, may_split=small_video is not None)
        self._targets: dict[EncodingName, EncodingTarget] = {}
        self._expected_loss = 0.0
        self._ticks = 0
        self._timer: asyncio.TimerHandle | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._closed = False
        self._on_hold = False

    def _source(self, codec: Codec) -> SharedPacketizer | None:
        if codec == "VP8" and codec not in self._sources and self._fallback_video is not None:
            self._sources[codec] = SharedPacketizer(self._fallback_video())
        return self._sources.get(codec)

    async def connect(
        self, peer: str, attempt: int, ice_servers: Sequence[IceServer] = (), use: PeerUse = EVERYTHING
    ) -> None:
        """Begin (or, with a higher attempt, rebuild) the connection with a party; a LocalOffer follows.

        A connection that was up goes on until the rebuilt one is; if it comes back first, it is kept.
        """
        known = self._attempts(peer)
        if self._closed or any(attempt <= each.attempt for each in known):
            return
        media = self._media_of(peer)
        try:
            new = Peer(
                peer,
                attempt,
                sources=self._source,
                media=media,
                settings=self._settings,
                on_fact=lambda fact: self._on_peer_fact(peer, attempt, fact),
                ice_servers=ice_servers,
                finder=self._finder,
                use=use,
                start_bit_rate=max((each.controller.known_bit_rate for each in known), default=None),
            )
        except Exception as error:  # servers that the engine cannot read, no certificate, no socket
            self._on_fact(ConnectionFailed(peer, "engine_error", type(error).__name__))
            return
        current = self._peers.get(peer)
        if current is not None and current.connected:
            self._drop(self._rebuilt.pop(peer, None))
            self._rebuilt[peer] = new
        else:
            self._take(new)
        self._keep_ticking()
        await new.offer()

    def _media_of(self, peer: str) -> RemoteMedia:
        media = self._media.setdefault(peer, RemoteMedia())
        media.on_hold = self._on_hold
        return media

    def show_to(self, peer: str, sees: bool) -> bool:
        """From now on this party gets our picture, or does not; False: only by another connection."""
        places = [each.show(sees) for each in self._attempts(peer)]
        return all(places)

    def hold(self, on: bool) -> None:
        """Let nothing of the remote parties through to the kiosk, or let it through again."""
        self._on_hold = on
        for media in self._media.values():
            media.hold(on)

    def _attempts(self, peer: str) -> list[Peer]:
        return [each[peer] for each in (self._peers, self._rebuilt) if peer in each]

    def _take(self, new: Peer) -> None:
        """From now on the party is behind this connection, and behind no other."""
        self._rebuilt.pop(new.name, None)
        self._drop(self._peers.get(new.name))
        self._peers[new.name] = new
        self._media[new.name].follow(new.session)

    def _drop(self, old: Peer | None) -> None:
        if old is not None:
            self._in_background(old.close())

    async def answer(self, peer: str, attempt: int, sdp: str) -> None:
        """The party's answer to our offer of this attempt; of another attempt it is ignored."""
        current = self._current(peer, attempt)
        if current is not None:
            await current.answer(sdp)

    async def candidate(self, peer: str, attempt: int, candidate: Mapping[str, object]) -> None:
        """A browser's RTCIceCandidateInit; may come before the answer."""
        current = self._current(peer, attempt)
        if current is not None:
            await current.connection.add_candidate(candidate)

    def _current(self, peer: str, attempt: int) -> Peer | None:
        known = self._attempts(peer)
        return next((each for each in known if each.attempt == attempt and not each.ended), None)

    async def disconnect(self, peer: str) -> None:
        """End the connection with a party; no fact follows. The kiosk's views of it stay open, and still."""
        known = self._attempts(peer)
        self._peers.pop(peer, None)
        self._rebuilt.pop(peer, None)
        self._lost.discard(peer)
        self._forget_media(peer)
        for each in known:
            await each.close()

    def _forget_media(self, peer: str) -> None:
        media = self._media.get(peer)
        if media is not None:
            media.follow(None)
            if not any(view.resource == KIOSK_PEER_PREFIX + peer for view in self._views.values()):
                del self._media[peer]

    async def kiosk_offer(self, resource: str, sdp: str) -> KioskAnswer:
        """Answer the kiosk's WHEP offer for "self" or "peer/<id>".

        NegotiationError says what is wrong with the offer.
        """
        if self._closed or len(self._views) >= KIOSK_VIEWS_MAX:
            raise NegotiationError("no more views can be opened; close one first")
        peer = resource.removeprefix(KIOSK_PEER_PREFIX)
        if resource != KIOSK_SELF and (peer == resource or not peer):
            raise NegotiationError('the resource is neither "self" nor "peer/<id>"')
        # aiortc cannot answer an offer that has no place for one of our transceivers.
        kinds = offered_kinds(sdp)
        if not kinds:
            raise NegotiationError("the offer has no place for a picture or sound")
        view = KioskView(resource, kinds, self._view_closed)
        self._views[view.id] = view
        self._keep_ticking()
        try:
            if resource == KIOSK_SELF:
                answer = await view.show_self(sdp, self._video)
            else:
                answer = await view.show_peer(sdp, self._media_of(peer))
        except BaseException:
            self._view_closed(view.id)
            raise
        return KioskAnswer(view.id, answer)

    async def kiosk_close(self, answer_id: str) -> None:
        """Close a view; one that is gone already is no fault."""
        view = self._views.pop(answer_id, None)
        if view is not None:
            await view.close()
            self._forget_unused_media()

    def _view_closed(self, answer_id: str) -> None:
        view = self._views.pop(answer_id, None)
        if view is not None:
            self._in_background(view.close())
            self._forget_unused_media()

    def _forget_unused_media(self) -> None:
        for peer in [name for name in self._media if name not in self._peers]:
            self._forget_media(peer)

    def send_message(self, peer: str | None, message: Mapping[str, object]) -> None:
        """Send a JSON object to one party, or to all for None. ValueError if it is over 16 KiB."""
        text = _as_text(message)
        for each in list(self._peers.values()):
            if peer in (None, each.name):
                each.send_message(text)

    async def send_blob(self, peer: str, header: Mapping[str, object], data: bytes) -> bool:
        """Send one party a message and then these bytes, in pieces; False if not all of it went out."""
        current = self._peers.get(peer)
        return current is not None and await current.send_blob(_as_text(header), data)

    def _on_peer_fact(self, peer: str, attempt: int, fact: Fact) -> None:
        current, rebuilt = self._peers.get(peer), self._rebuilt.get(peer)
        ended = isinstance(fact, ConnectionFailed | PeerGone)
        if rebuilt is not None and rebuilt.attempt == attempt:
            if ended:
                self._drop(self._rebuilt.pop(peer))
                return  # what was goes on, or is tried again by whoever asked
            if isinstance(fact, Connected):
                self._take(rebuilt)
        elif current is not None and current.attempt != attempt:
            return
        elif ended and rebuilt is not None:
            self._take(rebuilt)
            return  # the connection that is being made is its successor
        elif ended and current is not None:
            # Stays known until the next attempt or disconnect(), but is closed at once.
            self._drop(current)
        self._on_fact(fact)
        if isinstance(fact, MediaFlowing) and peer in self._lost:
            self._lost.discard(peer)
            self._on_fact(MediaBack(peer))

    def _keep_ticking(self) -> None:
        if self._timer is None and not self._closed:
            self._timer = asyncio.get_running_loop().call_later(TICK_S, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if not self._peers and not self._views:
            return
        self._keep_ticking()
        now = asyncio.get_running_loop().time()
        self._ticks += 1
        for peer in list(self._peers.values()):
            if peer.connected:
                peer.session.tick(now)
                self._watch(peer)
        for view in list(self._views.values()):
            view.session.tick(now)
        if self._ticks % STEER_INTERVAL_TICKS == 0:
            self._steer(now)
        if self._ticks % LOSS_INTERVAL_TICKS == 0:
            self._expect_loss()
            for media in self._media.values():
                media.hold_back(now)

    def _watch(self, peer: Peer) -> None:
        silent = peer.silent_for_s > self._settings.media_lost_s
        if silent and peer.name not in self._lost:
            self._lost.add(peer.name)
            self._on_fact(MediaLost(peer.name))
        elif not silent and peer.name in self._lost:
            self._lost.discard(peer.name)
            self._drop(self._rebuilt.pop(peer.name, None))
            self._on_fact(MediaBack(peer.name))

    def _steer(self, now: float) -> None:
        seeing = [peer for peer in self._peers.values() if peer.connected and peer.picture_codec is not None]
        lines = {peer.name: peer.line for peer in seeing}
        plan = self._steering.plan(lines, now)
        for name, encoding in plan.encodings.items():
            peer, source = self._peers[name], self._encoding(encoding)
            if source is not None:
                peer.encoding = encoding
                peer.follow(source)
        for encoding, target in plan.targets.items():
            self._set_target(encoding, target)
        for encoding in self._targets.keys() - plan.targets.keys():
            del self._targets[encoding]
        for encoding in plan.skips:
            source = self._encoding(encoding)
            if source is not None:
                source.source.skip_until(now + SKIP_S)

    def _expect_loss(self) -> None:
        """Sound is made once for all, so it is the worst line that says how much of it is to repair itself."""
        worst = max((peer.fraction_lost for peer in self._peers.values() if peer.connected), default=0.0)
        self._expected_loss += (worst - self._expected_loss) * LOSS_SMOOTHING
        self._audio.set_expected_loss(self._expected_loss)

    def _encoding(self, name: EncodingName) -> SharedPacketizer | None:
        if name == "full":
            return self._video
        if name == "vp8":
            return self._source("VP8")
        if self._small is None and self._small_video is not None:
            self._small = SharedPacketizer(self._small_video())
        return self._small

    def _set_target(self, encoding: EncodingName, target: EncodingTarget) -> None:
        old, source = self._targets.get(encoding), self._encoding(encoding)
        if source is None or (old is not None and _is_close(old, target)):
            return
        self._targets[encoding] = target
        source.source.set_target(target)

    def stats(self) -> CallStats:
        """Figures of this moment; they are kept nowhere."""
        return CallStats(
            peers={name: peer.stats() for name, peer in self._peers.items()},
            targets=dict(self._targets),
            frames=self._video.frames,
            keyframes=self._video.keyframes,
            kiosk_streams=tuple(view.resource for view in self._views.values()),
        )

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """End every connection and view; returns when all are closed."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        peers = [*self._peers.values(), *self._rebuilt.values()]
        self._peers, self._rebuilt = {}, {}
        views, self._views = list(self._views.values()), {}
        closing = [peer.close() for peer in peers] + [view.close() for view in views]
        await asyncio.gather(*closing, *self._closing)
        self._media.clear()


def _as_text(message: Mapping[str, object]) -> str:
    text = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) > MESSAGE_BYTES_MAX:
        raise ValueError("the message is over 16 KiB")
    return text


def _is_close(old: EncodingTarget, new: EncodingTarget) -> bool:
    same_form = (old.width, old.height, old.frame_rate) == (new.width, new.height, new.frame_rate)
    return same_form and abs(new.bit_rate - old.bit_rate) < old.bit_rate * TARGET_CHANGE
