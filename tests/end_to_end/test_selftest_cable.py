"""A cable that is pulled out before a session: the room tells it and nothing else, and is well once it is back."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.selftest_kept import FILE, Kept, kept
from tests.system.coturn import SECRET, Coturn, is_installed
from tests.system.network import REGION_ADDRESS, WIRES, Network, why_not
from tests.system.stack import Stack
from tests.system.visit import book_by_command, until, wait_until_ready

pytestmark = [
    pytest.mark.long,
    pytest.mark.end_to_end,
    pytest.mark.skipif(not is_installed(), reason="Debian's coturn is not installed"),
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "-"),
]
BEFORE_MIN = 20
IN_TIME_S = 60.0


@pytest.fixture
def network() -> Iterator[Network]:
    with Network() as network:
        yield network


def last(stack: Stack) -> Kept | None:
    found = next(iter(stack.state.rglob(FILE)), None)
    return kept(found.parent) if found is not None else None


def wrong(result: Kept) -> list[str]:
    return [verdict.instruction for verdict in result.verdicts if verdict.level == "fail"]


def test_a_cable_pulled_out_is_told_before_the_session_and_mended_by_itself(
    tmp_path: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "turn.secret"
    secret.write_text(SECRET)
    turn = f"turn:{REGION_ADDRESS}:3478"
    monkeypatch.setenv("HALSORUM_TURN__URLS", f"{turn} {turn}?transport=tcp")
    monkeypatch.setenv("HALSORUM_TURN__SECRET_FILE", str(secret))
    with (
        Coturn(tmp_path, REGION_ADDRESS, network.region),
        Stack(tmp_path / "system", network=network) as stack,
    ):
        wait_until_ready(stack)
        first = last(stack)
        assert first is not None and wrong(first) == []
        figures = {verdict.probe: verdict.figure for verdict in first.verdicts}
        assert (figures["turn"], figures["line"] > 1.0) == (2, True)
        logged = stack.log("unit") + stack.log("region")
        assert SECRET not in logged and "credential" not in logged

        book_by_command(stack, after_min=BEFORE_MIN + 0.2)
        for wire in WIRES:
            down = ["ip", "-n", network.region, "link", "set", network.unit.far(wire), "down"]
            subprocess.run(down, check=True)

        def told() -> Kept | None:
            result = last(stack)
            return result if result is not None and result.at > first.at else None

        before = until(told, "the test before the session", IN_TIME_S)
        assert (before.occasion, wrong(before)) == ("before", ["network_cable"])
        assert {verdict.probe for verdict in before.verdicts}.isdisjoint({"region", "turn", "line"})

        network.restore()
        until(lambda: wrong(last(stack) or before) == [], "the room is well again", IN_TIME_S)
