"""A whole visit where the room reaches the region alone, and so does the office: TURN carries the call."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.system.coturn import SECRET, Coturn, is_installed
from tests.system.network import REGION_ADDRESS, Network, why_not
from tests.system.people import Browsers, Office, Screen
from tests.system.stack import Stack
from tests.system.visit import book_by_command, command, page_until, pulsed_tone, sees, until

pytestmark = [
    pytest.mark.long,
    pytest.mark.end_to_end,
    pytest.mark.skipif(not is_installed(), reason="Debian's coturn is not installed"),
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "-"),
]
NOTHING_DIRECTLY = """table inet apart {
    chain forward {
        type filter hook forward priority 0
        drop
    }
}
"""


def test_the_regions_turn_server_carries_a_visit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "turn.secret"
    secret.write_text(SECRET)
    turn = f"turn:{REGION_ADDRESS}:3478"
    # What the region's pages and units are told; the first server is one that nobody has.
    monkeypatch.setenv("HALSORUM_TURN__URLS", f"turn:10.71.3.77:3478 {turn} {turn}?transport=tcp")
    monkeypatch.setenv("HALSORUM_TURN__SECRET_FILE", str(secret))
    monkeypatch.setenv("HALSORUM_ICE_TRANSPORT_POLICY", "relay")
    sound = pulsed_tone(tmp_path / "office.wav", 700)
    with (
        Network() as network,
        Coturn(tmp_path, REGION_ADDRESS, network.region) as coturn,
        Stack(tmp_path / "system", ["--tone-hz", "1000"], network=network) as stack,
        Browsers(tmp_path / "profile", sound=sound, stack=stack) as browsers,
    ):
        nft = ["ip", "netns", "exec", network.region, "nft", "-f", "-"]
        subprocess.run(nft, input=NOTHING_DIRECTLY, text=True, check=True)
        unit = stack.system["unit"]
        command(
            stack, "unit", "network", unit, "--ice-transport-policy", "relay", "--media-ports", "50000-50009"
        )
        until(lambda: _configured(stack), "the unit's new configuration")
        screen = Screen.open(browsers, stack)
        office = Office.open(browsers, stack)
        booking = book_by_command(stack)
        screen.shows("idle")
        screen.check_in(booking.code)
        screen.shows("waiting")
        office.open_meeting(booking.sid)
        office.admit()
        screen.shows("call")
        try:
            sees(screen.page, "video[data-media^='peer/']")
            sees(office.page, "#remote video")
            line = "#content[data-line='connected']"
            page_until(office.page, lambda: office.page.query_selector(line), "the page says connected")
        finally:
            print(stack.log("unit")[-4000:], coturn.log(), sep="\n---\n")
        logged = stack.log("unit") + stack.log("region")
        assert SECRET not in logged
        assert "credential" not in logged.replace("refused our credentials", "")


def _configured(stack: Stack) -> bool:
    [row] = [row for row in command(stack, "unit", "list") if row["unit"] == stack.system["unit"]]
    held, wanted = row["configuration"].split(" of ")
    return bool(held == wanted)
