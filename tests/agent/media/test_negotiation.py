from __future__ import annotations

import asyncio

import pytest
from aiortc import RTCPeerConnection
from hypothesis import given
from hypothesis import strategies as st

from agent.media.negotiation import (
    TRANSPORT_CC,
    NegotiationError,
    clean_remote_description,
    parse_description,
    usable_candidate,
)

OFFER = "\r\n".join(
    [
        "v=0",
        "o=- 1 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0 1",
        "a=ice-ufrag:abcd",
        "a=ice-pwd:0123456789012345678901",
        "a=fingerprint:sha-256 AA:BB",
        "a=setup:active",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "c=IN IP4 0.0.0.0",
        "a=mid:0",
        "a=recvonly",
        f"a=extmap:3 {TRANSPORT_CC}",
        "a=rtpmap:111 opus/48000/2",
        "a=rtcp-fb:111 transport-cc",
        "m=video 9 UDP/TLS/RTP/SAVPF 96 102 103 108 109",
        "c=IN IP4 0.0.0.0",
        "a=mid:1",
        "a=sendrecv",
        "a=candidate:1 1 udp 2113937151 0b7ca4d4-aaaa.local 5000 typ host",
        "a=candidate:2 1 udp 2113937151 192.0.2.1 5000 typ host",
        "a=candidate:3 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active",
        "a=end-of-candidates",
        "a=rtpmap:96 VP8/90000",
        "a=rtpmap:102 H264/90000",
        "a=fmtp:102 packetization-mode=0;profile-level-id=42e01f",
        "a=rtpmap:108 H264/90000",
        "a=fmtp:108 packetization-mode=1;profile-level-id=42e01f",
        "a=rtpmap:109 rtx/90000",
        "a=fmtp:109 apt=108",
        "a=rtpmap:103 rtx/90000",
        "a=fmtp:103 apt=102",
        "a=rtcp-fb:108 nack pli",
        "a=rtcp-fb:108 transport-cc",
        "a=ssrc-group:FID 1234 5678",
        "a=ssrc:1234 cname:x",
        "a=ssrc:5678 cname:x",
    ]
)


def test_sections_say_what_can_be_sent_and_under_which_numbers() -> None:
    audio, video = parse_description(clean_remote_description(OFFER))
    assert (audio.kind, audio.payload_types, audio.sends, audio.receives) == (
        "audio",
        {"opus": 111},
        False,
        True,
    )
    assert audio.extensions == {TRANSPORT_CC: 3}
    assert video.payload_types == {"VP8": 96, "H264": 108}
    assert video.rtx_payload_types[108] == 109
    assert (video.ssrcs, video.rtx_ssrcs) == ((1234,), {5678: 1234})


def test_names_that_need_a_network_to_be_looked_up_are_left_out() -> None:
    cleaned = clean_remote_description(OFFER)
    assert [line for line in cleaned.splitlines() if "candidate" in line] == [
        "a=candidate:2 1 udp 2113937151 192.0.2.1 5000 typ host"
    ]
    assert not usable_candidate("")


def test_the_kiosk_needs_no_feedback_about_a_line_of_no_length() -> None:
    cleaned = clean_remote_description(OFFER, keep_feedback_extensions=False)
    assert "transport-cc" not in cleaned
    assert "extmap" not in cleaned
    assert "nack pli" in cleaned


@pytest.mark.parametrize("sdp", ["", "hello", "v=0" + "\r\na=x" * 40_000])
def test_what_is_no_description_is_refused(sdp: str) -> None:
    with pytest.raises(NegotiationError, match="not SDP"):
        clean_remote_description(sdp)


@given(
    st.lists(st.sampled_from(OFFER.split("\r\n")), max_size=30), st.text("0123456789 /abcH:=;-", max_size=20)
)
def test_a_stranger_can_only_cause_negotiation_errors(lines: list[str], junk: str) -> None:
    try:
        sections = parse_description(
            clean_remote_description("\r\n".join(["v=0", *lines, "a=rtpmap:" + junk]))
        )
    except NegotiationError:
        return
    assert all(section.kind in ("audio", "video") for section in sections)


def test_reads_what_aiortc_offers() -> None:
    async def offer() -> str:
        connection = RTCPeerConnection()
        connection.addTransceiver("video", "sendonly")
        sdp = (await connection.createOffer()).sdp
        await connection.close()
        return sdp

    (section,) = parse_description(asyncio.run(offer()))
    assert section.sends
    assert set(section.payload_types) == {"VP8", "H264"}


@pytest.mark.parametrize(
    "more",
    [
        "a=" + "x" * 2000,
        "a=x\r\n" * 2000,
        "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" * 20,
        "m=video 9 UDP/TLS/RTP/SAVPF" + " 96" * 300,
    ],
    ids=["long line", "lines", "sections", "formats"],
)
def test_a_description_out_of_all_proportion_is_refused_before_the_engine_reads_it(more: str) -> None:
    with pytest.raises(NegotiationError, match="too many"):
        clean_remote_description(OFFER + "\r\n" + more)


def test_a_payload_type_that_no_header_can_carry_is_no_payload_type() -> None:
    sections = parse_description(OFFER.replace("96", "196"))
    assert all(number < 128 for section in sections for number in section.payload_types.values())


def test_only_admitted_candidates_are_let_in() -> None:
    asked: list[str] = []
    cleaned = clean_remote_description(OFFER, admit_candidate=lambda text: bool(asked.append(text)))
    assert "a=candidate" not in cleaned
    assert len(asked) == 1
