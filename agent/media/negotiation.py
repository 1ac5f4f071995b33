"""What a browser offers or answers, read and cleaned before the engine sees it (RFC 8866, RFC 8829)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, cast

from aiortc import sdp as aiortc_sdp

from agent.media.source import Codec

MediaKind = Literal["audio", "video"]

SDP_BYTES_MAX = 64 * 1024
# Several times what browsers write. The engine's parser looks at each format for each line, on the event loop.
SDP_LINES_MAX = 1500
SDP_LINE_CHARACTERS_MAX = 1024
SDP_SECTIONS_MAX = 8
SDP_FORMATS_MAX = 128
PAYLOAD_TYPE_MAX = 127  # seven bits of the RTP header (RFC 3550 section 5.1)
TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
ABSOLUTE_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
PLAYOUT_DELAY = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
_CODECS: dict[str, Codec] = {"H264": "H264", "VP8": "VP8", "OPUS": "opus"}


class NegotiationError(ValueError):
    """The other side's description cannot be used; the message says why, and holds none of it."""


@dataclass(frozen=True, slots=True)
class MediaSection:
    """One m-line: payload types by codec in its order of preference, and identifiers of header extensions."""

    kind: MediaKind
    payload_types: Mapping[Codec, int]
    rtx_payload_types: Mapping[int, int]  # RTX type by the media's type
    extensions: Mapping[str, int]
    ssrcs: tuple[int, ...]
    rtx_ssrcs: Mapping[int, int]  # media SSRC by RTX SSRC
    sends: bool
    receives: bool


def offered_kinds(sdp: str) -> tuple[MediaKind, ...]:
    """Which kinds of media an offer has a place for. NegotiationError if it cannot be read."""
    kinds = tuple(dict.fromkeys(s.kind for s in parse_description(clean_remote_description(sdp))))
    if not kinds:
        raise NegotiationError("the offer has no place for picture or sound")
    return kinds


def clean_remote_description(
    sdp: str,
    *,
    keep_feedback_extensions: bool = True,
    admit_candidate: Callable[[str], bool] = lambda _candidate: True,
) -> str:
    """What of a browser's description we let in. NegotiationError if it is too long or not a description.

    `.local` candidates would be looked up by mDNS, which costs a second and needs a network; our checks
    reach the browser without them, since it checks us. End-of-candidates is left out, since after it the
    engine gives up when every named candidate was a `.local` one.
    """
    if len(sdp) > SDP_BYTES_MAX or not sdp.startswith("v=0"):
        raise NegotiationError("the description is not SDP, or is longer than 64 KiB")
    lines = sdp.splitlines()
    _check_shape(lines)
    kept = []
    for line in lines:
        if line.startswith("a=candidate:") and not (
            usable_candidate(line[12:]) and admit_candidate(line[12:])
        ):
            continue
        if line == "a=end-of-candidates":
            continue
        if not keep_feedback_extensions and _is_feedback_extension(line):
            continue
        kept.append(line)
    return "\r\n".join(kept) + "\r\n"


def _check_shape(lines: list[str]) -> None:
    if len(lines) > SDP_LINES_MAX or any(len(line) > SDP_LINE_CHARACTERS_MAX for line in lines):
        raise NegotiationError("the description has too many or too long lines")
    sections = [line for line in lines if line.startswith("m=")]
    if len(sections) > SDP_SECTIONS_MAX or any(line.count(" ") > SDP_FORMATS_MAX for line in sections):
        raise NegotiationError("the description has too many sections or formats")


def _is_feedback_extension(line: str) -> bool:
    return (line.startswith("a=extmap:") and not line.endswith(PLAYOUT_DELAY)) or (
        line.startswith("a=rtcp-fb:") and line.endswith((" transport-cc", " goog-remb"))
    )


def usable_candidate(candidate: str) -> bool:
    """Whether this candidate is UDP and an address, not a `.local` name."""
    fields = candidate.split()
    return len(fields) >= 8 and fields[2].lower() == "udp" and not fields[4].lower().endswith(".local")


def parse_description(sdp: str) -> list[MediaSection]:
    """The audio and video sections; NegotiationError whatever is wrong with the text."""
    try:
        return [
            _section(media)
            for media in aiortc_sdp.SessionDescription.parse(sdp).media
            if media.kind in ("audio", "video") and media.port
        ]
    except Exception as error:  # the engine's parser asserts, indexes and iterates on what a stranger wrote
        raise NegotiationError(f"the description cannot be read ({type(error).__name__})") from error


def _section(media: aiortc_sdp.MediaDescription) -> MediaSection:
    payload_types: dict[Codec, int] = {}
    rtx: dict[int, int] = {}
    for codec in media.rtp.codecs:
        name = _CODECS.get(codec.name.upper())
        number = codec.payloadType
        if number is None or number > PAYLOAD_TYPE_MAX:
            continue
        if codec.name.lower() == "rtx":
            rtx[int(codec.parameters.get("apt") or -1)] = number
        elif name is not None and _is_packetization_mode_1(name, codec.parameters):
            payload_types.setdefault(name, number)
    groups = [group.items for group in media.ssrc_group if group.semantic == "FID" and len(group.items) == 2]
    rtx_ssrcs = {int(repair): int(original) for original, repair in groups}
    direction = media.direction or "sendrecv"
    return MediaSection(
        kind=cast(MediaKind, media.kind),
        payload_types=payload_types,
        rtx_payload_types=rtx,
        extensions={extension.uri: extension.id for extension in media.rtp.headerExtensions},
        ssrcs=tuple(each.ssrc for each in media.ssrc if each.ssrc not in rtx_ssrcs),
        rtx_ssrcs=rtx_ssrcs,
        sends=direction in ("sendrecv", "sendonly"),
        receives=direction in ("sendrecv", "recvonly"),
    )


def _is_packetization_mode_1(codec: Codec, parameters: Mapping[str, int | str | None]) -> bool:
    return codec != "H264" or str(parameters.get("packetization-mode", "0")) == "1"
