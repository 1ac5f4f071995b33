"""Serve the touchscreen with any page's state, without an agent: for the eye and for Playwright.

Run `python tests/web/room/serve_fake.py PORT [STATE]` from the top of the tree; it prints the address to open.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[3])]

from fakes import SECRET, FakeController, FakeVoice
from states import STATES

from agent.screen import RoomController
from agent.speech import Espeak, Voice
from web.room import RoomWebSettings, create_app, serve

SIZES_MM = {(1280, 800): (217.0, 136.0), (1024, 600): (154.0, 86.0)}
"""A 10.1 inch and a 7 inch screen, CSS pixels to millimetres."""


@contextmanager
def served(
    controller: RoomController, port: int, size: tuple[int, int] = (1280, 800), voice: Voice | None = None
) -> Iterator[str]:
    """Yields the address that lets a browser in."""
    width_mm, height_mm = SIZES_MM[size]
    settings = RoomWebSettings(
        port=port,
        browser_secret=SECRET,
        screen_width_mm=width_mm,
        screen_height_mm=height_mm,
        screen_width_px=size[0],
        screen_height_px=size[1],
    )
    server = serve(create_app(controller, settings, voice or FakeVoice()), "127.0.0.1", port, threads=8)
    try:
        yield f"http://localhost:{port}/enter?key={SECRET}"
    finally:
        server.stop()


if __name__ == "__main__":
    state = STATES[sys.argv[2] if len(sys.argv) > 2 else "idle"]
    with served(
        FakeController(replace(state, speech=(voice := Espeak()).languages)), int(sys.argv[1]), voice=voice
    ) as address:
        print(address)
        threading.Event().wait()
