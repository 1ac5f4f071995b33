"""One remote party's picture and sound on their way to the kiosk, across rebuilt connections."""

from __future__ import annotations

from collections.abc import Mapping

from agent.media.negotiation import MediaKind
from agent.media.playout_delay import PlayoutDelay
from agent.media.rtp_packet import RtpPacket
from agent.media.rtp_session import RtpSession
from agent.media.rtp_stream import RtpStream
from agent.media.source import Codec

Viewer = Mapping[MediaKind, RtpStream]
ROUND_TRIP_S = 0.1  # until it has been measured


class RemoteMedia:
    """Sends every packet of the party's current connection on to each viewer, as it comes.

    Viewers may be here before the party is, and stay while its connection is rebuilt.
    """

    def __init__(self) -> None:
        self.viewers: dict[str, Viewer] = {}
        self.on_hold = False
        self._session: RtpSession | None = None
        self._playout = PlayoutDelay()
        self._counted = (0, 0)

    def follow(self, session: RtpSession | None) -> None:
        """From now on the party is behind this connection."""
        self._session = session
        self._counted = (0, 0)

    def hold(self, on: bool) -> None:
        """Let nothing through; afterwards a picture begins anew."""
        self.on_hold = on
        if not on:
            self.request_keyframe()

    def hold_back(self, now: float) -> None:
        """Call it once a second: what the party's line loses is asked for again, and the kiosk waits for it."""
        if self._session is None:
            return
        total = self._session.received("video")
        holes = total.recovered + total.packets_lost
        packets, lost = total.packets - self._counted[0], holes - self._counted[1]
        self._counted = (total.packets, holes)
        if packets <= 0:
            return
        delay_ms = self._playout.update(lost / packets, self._session.round_trip_s or ROUND_TRIP_S, now)
        for viewer in self.viewers.values():
            for stream in viewer.values():
                stream.hold_back(delay_ms)

    def add_viewer(self, name: str, viewer: Viewer) -> None:
        self.viewers[name] = viewer
        self.request_keyframe()

    def remove_viewer(self, name: str) -> None:
        self.viewers.pop(name, None)

    def request_keyframe(self) -> None:
        """Ask the party, if it is there; requests are joined to two a second."""
        if self._session is not None:
            self._session.request_keyframe()

    def on_media(self, kind: MediaKind, codec: Codec, packet: RtpPacket, now: float) -> None:
        for viewer in self.viewers.values() if not self.on_hold else ():
            stream = viewer.get(kind)
            if stream is not None:
                stream.forward(packet, codec, now)

    def on_sender_report(
        self, kind: MediaKind, ssrc: int, rtp_timestamp: int, ntp_on_our_clock_s: float
    ) -> None:
        for viewer in self.viewers.values():
            stream = viewer.get(kind)
            if stream is not None:
                stream.translate_report(ssrc, rtp_timestamp, ntp_on_our_clock_s)
