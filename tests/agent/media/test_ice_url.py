"""STUN and TURN URLs: RFC 7064's and RFC 7065's own examples, IPv6, and what is refused."""

import pytest

from agent.media.ice_url import IceUrl, IceUrlError, Transport, parse_ice_url


@pytest.mark.parametrize(
    ("text", "url", "again"),
    [
        ("stun:example.org", IceUrl("stun", "example.org", 3478, Transport.UDP), "stun:example.org:3478"),
        ("turn:example.org", IceUrl("turn", "example.org", 3478, Transport.UDP), "turn:example.org:3478"),
        (
            "turn:[fd00::7]:3479?transport=tcp",
            IceUrl("turn", "fd00::7", 3479, Transport.TCP),
            "turn:[fd00::7]:3479?transport=tcp",
        ),
        (
            "turn:192.0.2.7:80?transport=udp",
            IceUrl("turn", "192.0.2.7", 80, Transport.UDP),
            "turn:192.0.2.7:80",
        ),
        ("turns:example.org", IceUrl("turn", "example.org", 5349, Transport.TLS), "turns:example.org:5349"),
        (
            "turns:example.org:443?transport=tcp",
            IceUrl("turn", "example.org", 443, Transport.TLS),
            "turns:example.org:443",
        ),
    ],
)
def test_a_url_is_read_and_written_again(text: str, url: IceUrl, again: str) -> None:
    assert parse_ice_url(text) == url
    assert str(url) == again
    assert parse_ice_url(again) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "http://example.org",
        "turn://example.org",
        "turn:example.org:0",
        "turn:example.org:65536",
        "turn:example.org?transport=sctp",
        "turns:example.org?transport=udp",
        "stuns:example.org",
        "stun:example.org?transport=tcp",
        "turn:user@example.org",
        "turn:[fd00::7",
    ],
)
def test_what_is_no_such_url_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(IceUrlError) as caught:
        parse_ice_url(text)
    assert not text or text not in str(caught.value)
