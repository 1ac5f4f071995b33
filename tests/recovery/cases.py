"""Everything that is taken away from a call, by name."""

from __future__ import annotations

from tests.recovery.room import Act, Call, Case, hang, kill, unhang
from tests.system.network import Side

AWAY_S = (3.0, 10.0, 30.0, 120.0)
CALL_PAGE_S = 12.0
"""The longest absence lasts so much longer, for the page with the number to be there."""


def all_cases() -> list[Case]:
    """The short ones first."""
    return [
        *(case for away_s in AWAY_S[:2] for case in lines(away_s)),
        *changes(),
        *kills(),
        *reloads(),
        *(case for away_s in AWAY_S[2:] for case in lines(away_s)),
    ]


def lines(away_s: float) -> list[Case]:
    """A line away, at either end, told by the carrier or not."""
    really_s = away_s + CALL_PAGE_S if away_s >= 120 else away_s
    return [
        Case(f"{side}: {how}, {away_s:.0f} s", take, really_s, give)
        for side in ("unit", "office")
        for how, take, give in (
            ("cable out", _on(side, Side.unplug), _on(side, Side.replug)),
            ("silent drop", _on(side, Side.silence), _on(side, Side.unsilence)),
        )
    ]


def changes() -> list[Case]:
    """From the cable to the Wi-Fi and back, and with a pause between."""
    cases = [
        Case(f"{side}: {there} to {here}", _to(side, here), 0.0)
        for side in ("unit", "office")
        for there, here in (("cable", "wifi"), ("wifi", "cable"))
    ]
    return [
        *cases,
        Case("unit: 10 s between two networks", _on("unit", Side.unplug), 10.0, _to("unit", "wifi")),
        Case("unit: wifi to cable again", _to("unit", "cable"), 0.0),
    ]


def kills() -> list[Case]:
    """kill -9, and started again; and what answers nobody for a while."""
    return [
        *(Case(f"{part} killed", kill(part), 0.0) for part in ("broker", "region", "unit")),
        *(Case(f"{part} hung, 10 s", hang(part), 10.0, unhang) for part in ("broker", "region")),
    ]


def reloads() -> list[Case]:
    """A page loaded anew at either end."""
    return [
        Case("touchscreen reloaded", lambda call: call.screen.reload(), 0.0),
        Case("clinician's page reloaded", lambda call: _reload_office(call), 0.0),
    ]


def _reload_office(call: Call) -> None:
    call.office.page.reload()


def _on(side: str, work: object) -> Act:
    return lambda call: work(getattr(call.network, side))  # type: ignore[operator]


def _to(side: str, wire: str) -> Act:
    return lambda call: getattr(call.network, side).move(wire)
