"""From what media report to what is wrong between people in a call, once a second. Pure; see agent/call_watch.py.

Of others nothing is decoded here: whether they are heard is told from their packets. Opus makes a few bytes of
20 ms in which there is nothing (RFC 6716 section 3.1: a packet may be one byte), and more of the quietest voice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.call_watch import Case

if TYPE_CHECKING:  # the media modules take most of a start
    from agent.media.capture import CaptureStats
    from agent.media.facts import PeerStats
    from agent.media.negotiation import MediaKind

NOTHING_BYTES = 8
"""Of a packet of Opus, as mean of a second, in which there is no sound: 3 from browsers (measured)."""
MOST = 0.9
"""Of a second: one bad piece in it does not count."""
CLIPPED = 0.25
"""Of a second's 20 ms: a loud word clips too, and nobody minds."""
TALK_SHARE = 0.3
"""Of the last seconds' 20 ms, the newest counting most: whoever talks is silent for half of it."""


@dataclass(frozen=True, slots=True)
class Other:
    """A party that is connected. microphone, camera: whether it says they are on; None: it has not said.

    still: the touchscreen has its packets, and shows no new picture.
    """

    stats: PeerStats
    sees: bool = True
    microphone: bool | None = None
    camera: bool | None = None
    still: bool = False


@dataclass(frozen=True, slots=True)
class Now:
    """One moment of a call. microphone, camera: whether the patient has them on."""

    capture: CaptureStats
    microphone: bool
    camera: bool
    others: Mapping[str, Other] = field(default_factory=dict)


class CallFacts:
    """Judges each moment against the one before it."""

    def __init__(self) -> None:
        self._frames = -1
        self._talk = 0.0
        self._before: dict[str, PeerStats] = {}

    def judge(self, now: Now) -> dict[Case, bool | None]:
        """What is wrong (True), what is well, and what cannot be said now (None); what does not matter is left
        out."""
        wrong: dict[Case, bool | None] = {**self._sound(now), **self._picture(now)}
        for peer, other in now.others.items():
            wrong.update(_of_party(peer, self._before.get(peer), other))
        self._before = {peer: other.stats for peer, other in now.others.items()}
        return wrong

    def _sound(self, now: Now) -> dict[Case, bool]:
        heard = now.capture.heard
        if heard is None or heard.muted == now.microphone:  # not yet a second since the touch
            self._talk = 0.0
            return {}
        if heard.muted:
            self._talk = (self._talk + heard.loud) / 2
            return {("muted_talking", ""): self._talk > TALK_SHARE}
        return {
            ("room_sound", ""): now.capture.microphone_fault is not None or heard.nothing >= MOST,
            ("clipping", ""): heard.clipped > CLIPPED,
        }

    def _picture(self, now: Now) -> dict[Case, bool]:
        before, self._frames = self._frames, now.capture.frames_captured
        seen = now.capture.seen
        if not now.camera:
            return {}
        is_gone = now.capture.camera_fault is not None or self._frames == before
        if seen is None or is_gone:
            return {("room_picture", ""): is_gone}
        return {
            # A hand before the lens is as still as a camera that hangs, and easier to mend.
            ("room_picture", ""): seen.still and not seen.covered,
            ("covered", ""): seen.covered,
            ("dark", ""): seen.dark and not seen.covered,
            ("backlit", ""): seen.backlit,
        }


def _of_party(peer: str, before: PeerStats | None, other: Other) -> dict[Case, bool | None]:
    wrong: dict[Case, bool | None] = {}
    if _expected(other.microphone, "audio", other.stats):
        wrong["party_sound", peer] = None
    if other.sees and _expected(other.camera, "video", other.stats):
        wrong["party_picture", peer] = None
    if before is None or before.attempt != other.stats.attempt:
        return wrong  # a rebuilt connection counts from nought
    packets, octets = _grown("audio", before, other.stats)
    pictures, _ = _grown("video", before, other.stats)
    if not packets and not pictures:
        return wrong  # the line is away: whoever watches over connections says so
    verdicts: dict[Case, bool] = {
        ("party_sound", peer): not packets or octets / packets <= NOTHING_BYTES,
        ("party_picture", peer): other.still or not pictures,
    }
    return {case: verdicts[case] for case in wrong}


def _expected(said: bool | None, kind: MediaKind, stats: PeerStats) -> bool:
    """Whether this kind ought to come: the party says so, or says nothing and has sent it."""
    if said is not None:
        return said
    received = stats.received.get(kind)
    return received is not None and received.packets > 0


def _grown(kind: MediaKind, before: PeerStats, now: PeerStats) -> tuple[int, int]:
    old, new = before.received.get(kind), now.received.get(kind)
    if new is None:
        return 0, 0
    return new.packets - (old.packets if old else 0), new.octets - (old.octets if old else 0)
