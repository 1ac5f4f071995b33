"""The probes of the line, joined to the wire and to how calls are set up. Part of the wiring."""

from __future__ import annotations

from collections.abc import Callable

from agent.ice_asking import IceAsking
from agent.media.facts import CallSettings
from agent.media.ice_probe import TlsContext
from agent.media.turn_endpoint import Opening
from agent.probes.line import LineProbe
from agent.probes.network import NamesProbe, NetworkProbe
from agent.probes.path import Path
from agent.probes.region import RegionProbe
from agent.probes.turn import TurnProbe
from agent.wire import Wire


def path_probes(
    wire: Callable[[], Wire],
    now_s: Callable[[], float],
    tls: TlsContext,
    call_settings: Callable[[], CallSettings],
) -> tuple[Path, LineProbe]:
    """The way to the region; and the line, which is measured after it. now_s: the unit's monotonic clock."""

    def host() -> str:
        link = wire().link
        if link is None:
            return ""
        return link.settings.proxy[0] if link.settings.proxy else link.settings.host

    def round_trip_ms() -> float | None:
        link = wire().link
        return None if link is None else link.figures.rtt_ms

    def opening() -> Opening:
        settings = call_settings()
        return Opening(tls, settings.media_ports, settings.dscp)

    region = RegionProbe(
        is_up=lambda: wire().up,
        nudge=lambda: wire().say_again(),
        now_s=now_s,
        has_heard_since=lambda since_s: wire().has_heard_since(since_s),
        round_trip_ms=round_trip_ms,
    )
    asking = IceAsking(lambda kind, intent: wire().intent(kind, intent), lambda: wire().notices)
    turn = TurnProbe(asking.servers, opening)
    path = Path([NetworkProbe(host), NamesProbe(host), region, turn])
    return path, LineProbe(path, turn, opening)
