"""How every test starts Chromium: it talks to nobody but us."""

from __future__ import annotations

CHROMIUM = "/usr/bin/chromium"
QUIET = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)
PLAYS_AT_ONCE = "--autoplay-policy=no-user-gesture-required"
FAKE_MEDIA = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
"""Camera and microphone played by Chromium, and nobody asked whether a page may have them."""
