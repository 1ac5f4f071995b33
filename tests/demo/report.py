"""The visit as a report: figures, what is wrong with them, and a table. Pure but for printing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

DIRECTIONS = ("to_clinician", "to_kiosk", "to_interpreter")
KINDS = (
    "booked",
    "session_ready",
    "checked_in",
    "party_opened",
    "peer_joined",
    "seat_made",
    "seat_claimed",
    "knocked",
    "admit_asked",
    "admitted",
    "call_started",
    "peer_connected",
    "party_admitted",
    "peer_joined",
    "peer_connected",
    "still_taken",
    "still_saved",
    "end_asked",
    "peer_left",
    "call_ended",
    "session_wiped",
)
"""What the meeting log says of the visit, in order."""
BEFORE_IT = ("session_degraded", "session_ready")
"""And where the camera was covered, after the first time that the session was ready."""
SETUP_TARGET_MS, RSS_TARGET_MIB, READY_TARGET_S = 1000, 180, 2
_PRESENT = ("fps", "width", "height", "frames_decoded", "audio_level")
_COVERED = {
    "found_s": "the region was not told of it",
    "listed": "the page of rooms that are not ready had no such room with what to do",
    "on_screen": "staff's page of the touchscreen did not say what to do",
    "told_s": "no notice of it came",
    "well_s": "the room did not find itself well after it",
    "told_well_s": "no notice came that the room is ready again",
}
_ROWS = (
    ("frames/s", "fps"),
    ("width", "width"),
    ("height", "height"),
    ("frames decoded", "frames_decoded"),
    ("freezes", "freezes"),
    ("packets lost", "packets_lost"),
    ("latency p50, ms", "latency_ms_p50"),
    ("latency p95, ms", "latency_ms_p95"),
    ("sound level", "audio_level"),
    ("sound concealed", "audio_concealed_ratio"),
    ("tone heard, Hz", "tone_hz"),
)


def faults(report: Mapping[str, Any], *, with_clock: bool = True) -> Iterator[str]:
    """A sentence for each thing that is not as it should be."""
    covered = report["covered"] or {}
    yield from (
        f"covered camera: {said}"
        for name, said in _COVERED.items()
        if covered.get(name, True) in {None, False}
    )
    for name in DIRECTIONS:
        yield from (f"{name}: {field} is 0" for field in _PRESENT if not report[name][field])
        if with_clock and report[name]["latency_ms_p50"] is None:
            yield f"{name}: the clock in the picture could not be read"
        if report[name]["tone_hz"] is None:
            yield f"{name}: the sender's tone was not heard"
    for side, value in report["setup_ms"].items():
        if value is None or value < 0:
            yield f"setup_ms: no first picture after the admit click at the {side}"
    for name in ("agent_cpu_pct", "agent_rss_mib", "agent_ready_s"):
        if not report[name]:
            yield f"{name} was not measured"
    yield from (
        f"no quality figures from the {who}" for who, reports in report["quality"].items() if not reports
    )
    kinds = (*KINDS[:2], *(BEFORE_IT if covered else ()), *KINDS[2:])
    if report["events"] != list(kinds):
        yield f"events: expected {', '.join(kinds)}; the log has {', '.join(report['events'])}"
    if not report["still"]:
        yield "the clinician got no still picture"
    if not report["still_was_told"]:
        yield "the patient was not told of the still picture"
    if not report["log_verified"]:
        yield "the meeting log's chain of hashes does not hold"
    if not report["search_works"]:
        yield "the search for what is left did not find the session on the unit while it was there"
    yield from (f"not wiped: {found['canary']} in {found['file']}" for found in report["findings"])


def print_report(report: Mapping[str, Any], console: Console) -> None:
    """For people: the figures, the issue's targets beside those that have one."""
    table = Table(title="A visit of three parties, as received")
    for heading in ("", "to clinician", "to kiosk", "to interpreter"):
        table.add_column(heading, justify="left" if not heading else "right")
    setup = report["setup_ms"]
    heading = f"setup, ms (target < {SETUP_TARGET_MS})"
    table.add_row(heading, *(_shown(setup[side]) for side in ("clinician", "kiosk")))
    for label, field in _ROWS:
        table.add_row(label, *(_shown(report[name][field]) for name in DIRECTIONS))
    console.print(table)
    lines = {
        **_covered(report["covered"]),
        "agent processor": f"{report['agent_cpu_pct']} % of one core",
        "whole machine": f"{report['machine_cpu_pct']} % of all cores, browsers and all else included",
        "agent memory": f"{report['agent_rss_mib']} MiB resident (target < {RSS_TARGET_MIB})",
        "agent ready": f"{report['agent_ready_s']} s after its start (target < {READY_TARGET_S})",
        "still picture": "x".join(map(str, report["still"] or ())) or "NONE",
        "quality figures": ", ".join(f"{number} from the {who}" for who, number in report["quality"].items()),
        "meeting log": ", ".join(report["events"]),
        "log's chain": "holds" if report["log_verified"] else "DOES NOT HOLD",
        "wiped": "yes" if report["wiped"] else "NO",
    }
    for label, value in lines.items():
        console.print(f"{label:16} {value}", soft_wrap=True, highlight=False)
    for reason in report["problems"]:
        console.print(f"NOT AS IT SHOULD BE: {reason}", soft_wrap=True, highlight=False, markup=False)


def _covered(seen: Mapping[str, Any] | None) -> dict[str, str]:
    if seen is None:
        return {}
    after = {
        name: "NEVER" if seen[name] is None else f"{seen[name]} s" for name in seen if name.endswith("_s")
    }
    places = {"the clinic's page": seen["listed"], "the touchscreen": seen["on_screen"]}
    said = ", ".join(f"{'on' if is_said else 'NOT on'} {place}" for place, is_said in places.items())
    return {
        "camera covered": f"found after {after['found_s']}; what to do stands {said}",
        "clinic told": f"by mail after {after['told_s']}",
        "camera uncovered": f"well after {after['well_s']}",
        "clinic told well": f"by mail after {after['told_well_s']}",
    }


def count(told: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How often each of the three told the region how it saw the call."""
    units = [row for row in told if row["source"] == "unit"]
    shown = sum(any("shown" in party for party in row["parties"]) for row in units)
    return {"unit": len(units), "touchscreen": shown, "clinician's page": len(told) - len(units)}


def plain(value: Any) -> dict[str, Any]:
    """A dataclass as JSON has it."""
    return asdict(value)


def _shown(value: object) -> str:
    return "-" if value is None else str(value)
