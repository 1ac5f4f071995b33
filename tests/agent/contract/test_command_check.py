"""Which arguments go with which command."""

from __future__ import annotations

import pytest

from agent.contract.command_check import looks_like_personnummer, what_is_wrong
from agent.contract.commands import KNOWN

BUNDLE = {
    "url": "https://region.example/halsorum-vm-0.5.1.raucb",
    "sha256": "0f" * 32,
    "size": "400000000",
    "version": "0.5.1",
    "compatible": "halsorum-vm",
}
GOOD = [
    ("restart", {}),
    ("restart", {"what": "machine"}),
    ("selftest", {}),
    ("renew-certificate", {}),
    ("rotate-bootstrap", {}),
    ("collect-diagnostics", {"url": "https://region.example/diagnostics/abc"}),
    ("set-clock-source", {"source": "ntp", "servers": "ntp1.example, 192.0.2.7"}),
    ("set-clock-source", {"source": "network"}),
    ("show-message", {"text": "Hissen är avstängd.", "minutes": "60"}),
    ("show-message", {"text": "Ring 010-123 45 67.", "until": "2026-11-22T17:00:00+01:00"}),
    ("show-message", {"text": ""}),
    ("wipe", {"bootstrap": "remove"}),
    ("locate", {"seconds": "60"}),
    ("update", BUNDLE),
    ("update", BUNDLE | {"allow_downgrade": "yes", "version": "1.0.0-rc1.2"}),
    ("repair-data", {}),
]
BAD = [
    ("dance", {}, "name"),
    ("restart", {"what": "world"}, "what"),
    ("selftest", {"hard": "yes"}, "hard"),
    ("collect-diagnostics", {}, "url"),
    ("collect-diagnostics", {"url": "http://region.example/"}, "url"),
    ("set-clock-source", {}, "source"),
    ("set-clock-source", {"source": "ntp"}, "servers"),
    ("set-clock-source", {"source": "ntp", "servers": "a b c d e"}, "servers"),
    ("set-clock-source", {"source": "ntp", "servers": "ntp.example]\nFallbackNTP=x"}, "servers"),
    ("set-clock-source", {"source": "region", "servers": "a"}, "servers"),
    ("show-message", {"minutes": "5"}, "text"),
    ("show-message", {"text": "x" * 201, "minutes": "5"}, "text"),
    ("show-message", {"text": "two\nlines", "minutes": "5"}, "text"),
    ("show-message", {"text": "<b>bold</b>", "minutes": "5"}, "text"),
    ("show-message", {"text": "19121212-1212 väntar", "minutes": "5"}, "text"),
    ("show-message", {"text": "Hej"}, "until"),
    ("show-message", {"text": "Hej", "minutes": "5", "until": "2026-11-22T17:00:00Z"}, "until"),
    ("show-message", {"text": "Hej", "until": "2026-11-22T17:00:00"}, "until"),
    ("show-message", {"text": "Hej", "minutes": "-5"}, "minutes"),
    ("show-message", {"text": "Hej", "minutes": "٥"}, "minutes"),
    ("wipe", {"bootstrap": "perhaps"}, "bootstrap"),
    ("locate", {"seconds": "9999999999999"}, "seconds"),
    *(("update", {k: v for k, v in BUNDLE.items() if k != missing}, missing) for missing in BUNDLE),
    ("update", BUNDLE | {"url": "http://region.example/b"}, "url"),
    ("update", BUNDLE | {"url": "http://127.0.0.1:80/b"}, "url"),
    ("update", BUNDLE | {"url": "file:///etc/shadow"}, "url"),
    ("update", BUNDLE | {"url": "/data/update/bundle.raucb"}, "url"),
    ("update", BUNDLE | {"url": "https://"}, "url"),
    ("update", BUNDLE | {"url": "https://name:word@region.example/b"}, "url"),
    ("update", BUNDLE | {"url": "https://region.example:x/b"}, "url"),
    ("update", BUNDLE | {"url": "https://region.example/b\nHost: other"}, "url"),
    ("update", BUNDLE | {"sha256": "0F" * 32}, "sha256"),
    ("update", BUNDLE | {"sha256": "0f" * 31}, "sha256"),
    ("update", BUNDLE | {"size": "0"}, "size"),
    ("update", BUNDLE | {"size": "99999999999999999999"}, "size"),
    ("update", BUNDLE | {"size": "-1"}, "size"),
    ("update", BUNDLE | {"version": "../../etc"}, "version"),
    ("update", BUNDLE | {"version": "1"}, "version"),
    ("update", BUNDLE | {"version": "1.2\n"}, "version"),
    ("update", BUNDLE | {"version": "1.2.3; reboot"}, "version"),
    ("update", BUNDLE | {"compatible": "../vm"}, "compatible"),
    ("update", BUNDLE | {"compatible": "--help"}, "compatible"),
    ("update", BUNDLE | {"allow_downgrade": "perhaps"}, "allow_downgrade"),
    ("update", BUNDLE | {"path": "/etc"}, "path"),
]


@pytest.mark.parametrize(("name", "arguments"), GOOD)
def test_what_may_be_sent(name, arguments):
    assert what_is_wrong(name, arguments) == ""


@pytest.mark.parametrize(("name", "arguments", "where"), BAD)
def test_what_may_not_is_said_by_its_argument(name, arguments, where):
    assert what_is_wrong(name, arguments).startswith(f"{where}: ")


def test_every_known_command_has_its_arguments_here():
    assert {name for name, _ in GOOD} == set(KNOWN)


@pytest.mark.parametrize(
    "text",
    ["121212-1212", "191212121212", "12 1212+1212".replace(" ", ""), "nr 20121272-1212.", "121212 1212"],
)
def test_a_personnummer_is_seen_however_it_is_written(text):
    assert looks_like_personnummer(text)


@pytest.mark.parametrize("text", ["010-123 45 67", "kl 15.00-16.30", "129912-1212", "1234", "12-11-22 15:00"])
def test_telephone_numbers_and_times_are_none(text):
    assert not looks_like_personnummer(text)
