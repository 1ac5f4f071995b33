"""The demo's report: what was seen, what is wrong with it, and how it is printed."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.figures import percentile
from tests.demo.play import VISIT, Played


def report_of(played: Played) -> dict[str, Any]:
    """The report as it is written to JSON."""
    sides = {"to_clinician": played.to_clinician, "to_kiosk": played.to_kiosk}
    admitted = played.to_clinician.get("admitted_at")
    shown = {"clinician": played.to_clinician, "kiosk": played.to_kiosk}
    setup = {
        side: round(seen["first_frame_at"] - admitted) if admitted and seen.get("first_frame_at") else None
        for side, seen in shown.items()
    }
    report: dict[str, Any] = {
        "ok": True,
        "problems": [],
        "setup_ms": setup,
        **{name: _direction(seen) for name, seen in sides.items()},
        "agent_cpu_pct": round(played.agent_cpu_pct, 1),
        "agent_rss_mib": round(played.agent_rss_mib, 1),
        "agent_ready_s": round(played.agent_ready_s, 2),
        "events": played.events,
        "log_verified": played.log_ok,
        "wiped": not played.left and "session_wiped" in played.events,
        "left": played.left,
    }
    report["problems"] = problems(report)
    report["ok"] = not report["problems"]
    return report


def problems(report: dict[str, Any]) -> list[str]:
    """What is not as it should be, in words; speed is printed, not judged."""
    wrong = []
    for side, took in report["setup_ms"].items():
        if took is None or took < 0:
            wrong.append(f"no first picture was seen at the {side} after the admit click")
    for name in ("to_clinician", "to_kiosk"):
        seen = report[name]
        if seen["frames_decoded"] < 1 or not seen["width"]:
            wrong.append(f"{name}: no pictures were decoded in the call")
        if seen["audio_level"] <= 0:
            wrong.append(f"{name}: no sound was heard in the call")
        if seen["latency_ms_p50"] is None:
            wrong.append(f"{name}: the clock in the picture could not be read")
    order = [kind for kind in report["events"] if kind in VISIT]
    if order != list(VISIT):
        wrong.append(f"the meeting log's order is {order}, not {list(VISIT)}")
    if not report["log_verified"]:
        wrong.append("the meeting log's hash chains do not verify")
    if not report["wiped"]:
        wrong.append(f"something is left after the visit: {report['left'] or 'no receipt of the wipe'}")
    return wrong


def _direction(seen: dict[str, Any]) -> dict[str, Any]:
    ages = seen.get("latencies", [])
    return {
        "fps": round(seen["frames_decoded"] / seen["seconds"], 1),
        "width": seen["width"],
        "height": seen["height"],
        "frames_decoded": seen["frames_decoded"],
        "freezes": seen["freezes"],
        "packets_lost": seen["packets_lost"],
        "latency_ms_p50": round(percentile(ages, 0.5), 1) if ages else None,
        "latency_ms_p95": round(percentile(ages, 0.95), 1) if ages else None,
        "jitter_buffer_ms": round(seen["jitter_buffer_ms"], 1),
        "audio_level": round(seen["audio_level"], 4),
        "audio_concealed_ratio": round(seen["audio_concealed_ratio"], 4),
    }


def print_report(report: dict[str, Any]) -> None:
    """A table for people."""
    table = Table(title="A visit", show_header=True)
    for column in ("", "to the clinician", "to the touchscreen"):
        table.add_column(column, justify="left" if not column else "right")
    setup = report["setup_ms"]
    table.add_row(
        "admit to first picture, ms (aim: under 1000)", str(setup["clinician"]), str(setup["kiosk"])
    )
    for name in report["to_clinician"]:
        table.add_row(
            name.replace("_", " "), str(report["to_clinician"][name]), str(report["to_kiosk"][name])
        )
    console = Console(width=100)
    console.print(table)
    console.print(
        f"unit: {report['agent_cpu_pct']} % of a core, {report['agent_rss_mib']} MiB (aim: under 180), "
        f"answers {report['agent_ready_s']} s after its start (aim: 2)"
    )
    console.print(f"meeting log: {' → '.join(report['events'])}; verified: {report['log_verified']}")
    console.print(f"nothing left on the unit: {report['wiped']}")
    console.print("OK" if report["ok"] else "NOT OK: " + "; ".join(report["problems"]))
