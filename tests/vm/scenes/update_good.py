"""A good update: sent by the region, fetched over HTTPS, installed, started, proven and kept."""

from __future__ import annotations

import time

import pytest

from tests.vm.lab import Lab
from tests.vm.updates import grub_variables, shop, slot_and_version

SHORT = False
FRESH = True
UPDATE_WITHIN_S = 1800.0


def play(lab: Lab) -> None:
    """One update, and one that is refused for each of its faults."""
    lab.wait_until_ready()
    with shop(lab) as open_shop:
        good = open_shop.bundle("99.0.1")
        for name, change, expected in (
            ("for another board", {"compatible": "halsorum-pi5"}, "failed: compatible"),
            ("of other bytes", {"sha256": "0" * 64}, "failed: .*sha256 is another"),
            ("older than what runs", {"version": "0.0.1"}, "failed: version: .*older"),
            ("over plain HTTP", {"url": good["url"].replace("https", "http")}, ""),
        ):
            with lab.trial(f"an update {name}", "refused with the reason, nothing changed") as trial:
                before = grub_variables(lab)
                if expected:
                    line = open_shop.wait_for(open_shop.send(good | change), expected, UPDATE_WITHIN_S)
                    trial.seen = line["reason"]
                else:
                    with pytest.raises(AssertionError, match="https"):
                        open_shop.send(good | change)
                    trial.seen = "the region does not send it"
                assert grub_variables(lab) == before
        with lab.trial(
            "a good update by command", "the other slot runs, proven; the command succeeded"
        ) as trial:
            began, sent = time.monotonic(), open_shop.send(good)
            marks = []
            for phase in ("running: installing", "running: (restarting|proving)", "succeeded"):
                open_shop.wait_for(sent, phase, UPDATE_WITHIN_S)
                marks.append(f"{time.monotonic() - began:.0f}")
            assert slot_and_version(lab) == "B 99.0.1"
            assert grub_variables(lab)["PROVEN"] == "B"
            trial.seen = f"B 99.0.1; installing after {marks[0]} s, restart {marks[1]} s, proven {marks[2]} s"
