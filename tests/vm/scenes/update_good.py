"""A good update: a rollout of the region's, fetched over HTTPS, installed, started, proven and kept.

Its screen is a stand-in's: that Chromium itself shows that it lives is not played here.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest

from tests.system.visit import command, until
from tests.vm.lab import Lab
from tests.vm.screen_stand_in import stand_in
from tests.vm.updates import (
    SMALL_BYTES,
    Shop,
    grub_variables,
    in_slot,
    other,
    power_on,
    shop,
    slot_and_version,
)

SHORT = False
FRESH = True
UPDATE_WITHIN_S = 1800.0
VERSION = "99.0.9"


def play(lab: Lab) -> None:
    """Those that are refused, each for its own fault, and one that is good."""
    power_on(lab)
    old = slot_and_version(lab)
    with shop(lab) as open_shop:
        for name, given, expected in _refusals(lab, open_shop):
            with lab.trial(f"an update {name}", "refused with the reason, nothing changed") as trial:
                before = grub_variables(lab)
                trial.seen = _refused(open_shop, given, expected)
                assert grub_variables(lab) == before
        good = open_shop.bundle(VERSION)
        with lab.trial("a good update by a rollout", "the other slot, proven; succeeded; done") as trial:
            trial.seen = _kept(lab, open_shop, good, f"{other(old[0])} {VERSION}")


def _refusals(lab: Lab, open_shop: Shop) -> Iterator[tuple[str, dict[str, str], str]]:
    """What is wrong, what is sent, and what is to become of it; empty where the region does not even send it."""
    small = open_shop.small("99.0.2")
    yield "over plain HTTP", small | {"url": small["url"].replace("https", "http")}, ""
    yield "that says it is for another board", small | {"compatible": "halsorum-pi5"}, "failed: compatible"
    yield "older than what runs", small | {"version": "0.0.1"}, "failed: version: .*older"
    yield "of other bytes than were said", small | {"sha256": "0" * 64}, "failed: .*sha256 is another"
    other = open_shop.small("99.0.3", board="x86")
    yield "for another board", other | {"compatible": small["compatible"]}, "failed: .*for halsorum-x86"
    foreign = open_shop.small("99.0.4", keys=lab.folder / "foreign-keys")
    yield "signed by somebody else", foreign, "failed: .*signature"
    noise = lab.folder / "noise.raucb"
    noise.write_bytes(secrets.token_bytes(SMALL_BYTES))
    about = {"sha256": sha256(noise.read_bytes()).hexdigest(), "size": str(SMALL_BYTES)}
    yield "that nobody signed", open_shop.offer(noise, {**small, **about}), "failed: .*no bundle"


def _refused(open_shop: Shop, given: dict[str, str], expected: str) -> str:
    if expected:
        return open_shop.wait_for(open_shop.send(given), expected, UPDATE_WITHIN_S)
    with pytest.raises(AssertionError, match="https"):
        open_shop.send(given)
    return "the region does not send it"


def _kept(lab: Lab, open_shop: Shop, good: dict[str, str], new: str) -> str:
    began = time.monotonic()
    rollout, sent = open_shop.roll_out(good)
    marks = []
    for phase in ("running: installing", "running: restarting", "running: proving|succeeded", "succeeded"):
        if "proving" in phase:
            in_slot(lab, new, UPDATE_WITHIN_S)
            stand_in(lab.vm)
        open_shop.wait_for(sent, phase, UPDATE_WITHIN_S)
        marks.append(f"{time.monotonic() - began:.0f}")
    assert slot_and_version(lab) == new
    assert grub_variables(lab)["PROVEN"] == new[0]
    ended = until(lambda: _ended(lab, rollout), "the rollout's end")
    assert ended["state"] == "done", ended
    return (
        f"{new}: downloaded after {marks[0]} s, restart after {marks[1]} s, "
        f"new system speaks after {marks[2]} s, proven after {marks[3]} s; rollout done"
    )


def _ended(lab: Lab, rollout: int) -> dict[str, Any] | None:
    line: dict[str, Any] = command(lab.stack, "rollout", "show", str(rollout))
    return None if line["state"] == "running" else line
