"""A page that takes no touch: each browser gets it once, and nothing else is to be had."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agent.contract.quality import Received
from agent.screen import NoSuchMedia, Touch
from agent.still_screen import StillScreen, halted_screen

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def test_every_browser_gets_the_page_as_it_is_when_it_comes() -> None:
    pages = iter([halted_screen("wiping", NOW), halted_screen("wiped", NOW)])
    still = StillScreen(lambda: next(pages))
    for halted in ("wiping", "wiped"):
        events = still.subscribe()
        kind, page = events.get(0) or ("", None)
        assert (kind, page.page, page.halted) == ("screen", "halted", halted)
        assert events.get(0) is None
        events.close()


def test_nothing_can_be_touched_seen_or_told() -> None:
    still = StillScreen(lambda: halted_screen("wiped", NOW))
    assert still.touch(Touch("help")).refusal == "not_now"
    with pytest.raises(NoSuchMedia):
        still.whep_offer("self", "v=0")
    still.whep_close("any")
    still.shown("doc", Received())
