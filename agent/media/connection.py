"""One encrypted connection: the engine's SDP, ICE and DTLS joined to our RtpSession."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address

from aioice import Candidate
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.rtcrtpparameters import RTCRtpCodecCapability
from aiortc.sdp import candidate_from_sdp

from agent.media.admission import Flood
from agent.media.aiortc_internals import Connecting, MediaTransport, extend_capabilities, ssrcs
from agent.media.candidates import CANDIDATES_MAX, RemoteCandidates
from agent.media.congestion import CongestionController
from agent.media.facts import IceServer
from agent.media.ice_gathering import Gatherer, TransportSettings
from agent.media.negotiation import (
    MediaKind,
    MediaSection,
    NegotiationError,
    clean_remote_description,
    parse_description,
)
from agent.media.rtp_session import RtpListener, RtpSession
from agent.media.server_finder import ServerFinder

logger = logging.getLogger(__name__)

KINDS: tuple[MediaKind, MediaKind] = ("audio", "video")
H264_PROFILE_LEVEL = "42e01f"  # constrained baseline 3.1: 720p30, which every browser decodes
CLOSE_TIMEOUT_S = 2.0
_CANDIDATE_CHARACTERS_MAX = 1024

extend_capabilities()


def _codecs(kind: MediaKind) -> list[RTCRtpCodecCapability]:
    known = RTCRtpSender.getCapabilities(kind).codecs
    if kind == "audio":
        return [codec for codec in known if codec.mimeType == "audio/opus"]
    h264 = [codec for codec in known if codec.parameters.get("profile-level-id") == H264_PROFILE_LEVEL]
    return h264 + [codec for codec in known if codec.mimeType in ("video/VP8", "video/rtx")]


class Connection:
    """Wraps one RTCPeerConnection with one sound and one picture section on one bundled transport.

    direction: of RFC 8866 section 6.7, of both sections unless the picture has one of its own.

    on_state is called with W3C connection states: connected, failed, closed; on_flood once, when the other
    side keeps sending far more than there is any reason for.
    """

    def __init__(
        self,
        listener: RtpListener,
        on_state: Callable[[str], None],
        *,
        transport: TransportSettings,
        direction: str,
        cname: str,
        controller: CongestionController | None = None,
        ice_servers: Sequence[IceServer] = (),
        finder: ServerFinder | None = None,
        on_candidate: Callable[[str, str | None], None] = lambda candidate, sdp_mid: None,
        data_channel: str | None = None,
        kinds: Sequence[MediaKind] = KINDS,
        picture_direction: str | None = None,
        on_flood: Callable[[Flood], None] = lambda _kind: None,
    ) -> None:
        policy = RTCIceTransportPolicy.RELAY if transport.relay_only else RTCIceTransportPolicy.ALL
        # An empty list, since the engine's default for None is a public STUN server; ours are for the gatherer.
        configuration = RTCConfiguration([], policy, RTCBundlePolicy.MAX_BUNDLE)
        self._engine = RTCPeerConnection(configuration)
        self._connecting = Connecting(self._engine)
        self._transceivers: Mapping[MediaKind, RTCRtpTransceiver] = {
            kind: self._engine.addTransceiver(
                kind, (picture_direction or direction) if kind == "video" else direction
            )
            for kind in kinds
        }
        for kind, transceiver in self._transceivers.items():
            transceiver.setCodecPreferences(_codecs(kind))
        self.channel: RTCDataChannel | None = (
            self._engine.createDataChannel(data_channel) if data_channel else None
        )
        on_loopback = any(ip_address(each).is_loopback for each in transport.addresses)
        self._candidates = RemoteCandidates(loopback=on_loopback)
        self._transport = MediaTransport(self._engine, self._on_rtp, self._on_rtcp, on_flood)
        self._on_candidate = on_candidate
        self._gatherer = Gatherer(
            self._transport.ice,
            transport,
            servers=ice_servers,
            finder=finder,
            on_candidate=self._found_candidate,
        )
        self._transport.silence_aiortc()
        self.session = RtpSession(
            self._transport.send_rtp, self._transport.send_rtcp, listener, cname=cname, controller=controller
        )
        self._on_state = on_state
        self._offered: list[MediaSection] = []
        self._answered = False
        self._early_candidates: list[tuple[str, str | None, int | None]] = []
        self._engine.on("connectionstatechange", self._state_changed)

    def _on_rtp(self, data: bytes, arrived_at: float) -> None:
        self.session.on_rtp(data, arrived_at)

    def _on_rtcp(self, data: bytes) -> None:
        self.session.on_rtcp(data)

    @property
    def state(self) -> str:
        return self._engine.connectionState

    @property
    def ice_failed(self) -> bool:
        return self._engine.iceConnectionState == "failed"

    def _state_changed(self) -> None:
        if self.state in ("connected", "failed", "closed") and not self._transport.closed:
            self._on_state(self.state)

    def local_ssrcs(self, kind: MediaKind) -> tuple[int, int]:
        """SSRCs of our media and its RTX, as our description announces them."""
        return ssrcs(self._transceivers[kind])

    async def offer(self) -> str:
        """Our offer with our own addresses in it; on_candidate gets those that STUN and TURN give us later.

        Raises NoFreePort, and NoRelay if only relayed candidates are allowed.
        """
        await self._engine.setLocalDescription(await self._engine.createOffer())
        self._transport.take_over()
        sdp: str = self._engine.localDescription.sdp
        if self._gatherer.going_on:
            sdp = sdp.replace("a=end-of-candidates\r\n", "")
        self._offered = parse_description(sdp)
        return sdp

    async def accept_answer(self, sdp: str) -> list[MediaSection]:
        """Apply the browser's answer; its sections. NegotiationError if it cannot be used."""
        if self._answered:
            raise NegotiationError("this connection has its answer already")
        cleaned = clean_remote_description(sdp, admit_candidate=self._candidates.admit)
        sections = parse_description(cleaned)
        self._answered = True
        try:
            await self._engine.setRemoteDescription(RTCSessionDescription(cleaned, "answer"))
        except (
            Exception
        ) as error:  # a stranger's text: whatever the engine makes of it fails this party alone
            raise NegotiationError(f"the answer cannot be applied ({type(error).__name__})") from error
        self.session.receive_on(self._offered, sections)
        for early in self._early_candidates:
            await self._add_candidate(*early)
        self._early_candidates.clear()
        return sections

    async def answer(self, sdp: str) -> tuple[str, list[MediaSection]]:
        """Answer a browser's offer; our answer and its sections. NegotiationError if it cannot be used."""
        cleaned = clean_remote_description(
            sdp, keep_feedback_extensions=False, admit_candidate=self._candidates.admit
        )
        wanted = {section.kind for section in parse_description(cleaned)}
        try:
            await self._engine.setRemoteDescription(RTCSessionDescription(cleaned, "offer"))
            self._transport.silence_aiortc()
            await self._engine.setLocalDescription(await self._engine.createAnswer())
        except Exception as error:
            raise NegotiationError(f"the offer cannot be answered ({type(error).__name__})") from error
        self._transport.take_over()
        ours: str = self._engine.localDescription.sdp
        return ours, [section for section in parse_description(ours) if section.kind in wanted]

    async def add_candidate(self, candidate: Mapping[str, object]) -> None:
        """A browser's RTCIceCandidateInit; one that RemoteCandidates does not admit is left out."""
        text, mid, index = (candidate.get(key) for key in ("candidate", "sdpMid", "sdpMLineIndex"))
        if not isinstance(text, str) or len(text) > _CANDIDATE_CHARACTERS_MAX:
            return
        text = text.removeprefix("candidate:")
        if not self._candidates.admit(text):
            return
        place = (text, mid if isinstance(mid, str) else None, index if isinstance(index, int) else None)
        if self._answered:
            await self._add_candidate(*place)
        elif len(self._early_candidates) < 2 * CANDIDATES_MAX:
            self._early_candidates.append(place)

    async def _add_candidate(self, text: str, mid: str | None, index: int | None) -> None:
        try:
            parsed = candidate_from_sdp(text)
            parsed.sdpMid, parsed.sdpMLineIndex = mid, index
            if mid is None and index is None:
                parsed.sdpMLineIndex = 0
            await self._engine.addIceCandidate(parsed)
        except Exception as error:
            logger.info("A remote candidate was left out (%s)", type(error).__name__)

    def _found_candidate(self, candidate: Candidate) -> None:
        bundled = next(iter(self._transceivers.values()))
        self._on_candidate(f"candidate:{candidate.to_sdp()}", bundled.mid)

    @property
    def route(self) -> tuple[Candidate, Candidate] | None:
        """Our and the other side's candidate that media takes, once there is a way."""
        return self._transport.ice.route

    async def close(self) -> None:
        """Say goodbye and end everything of this connection; never raises."""
        if self._transport.closed:
            return
        self.session.close()
        self._transport.closed = True
        await self._gatherer.close()
        await self._connecting.end()
        try:
            await asyncio.wait_for(self._engine.close(), CLOSE_TIMEOUT_S)
        except Exception as error:
            logger.warning("A connection did not close cleanly (%s)", type(error).__name__)
