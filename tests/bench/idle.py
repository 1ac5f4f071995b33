"""`python -m tests.bench.idle [--seconds 60] [--json FILE]`: what an agent costs while nobody is in the room.

A whole system in which nothing happens, and a page that listens to the feed as the touchscreen does: how long the
agent takes to be ready (several starts, by its own word to systemd), how much processor it uses, how often
it wakes, and every file that it writes, as the files' own times of change say.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import suppress
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.agent.certificates import TestAuthority
from tests.system.room_page import RoomPage
from tests.system.stack import Stack, free_port

SETTLES_S = 45.0
"""The first self-test and the encoders' survey, which come once after a start."""
STARTS = 5
READY_WITHIN_S = 120.0
LOOK_EVERY_S = 0.5
READY_AIM_S, IDLE_AIM_PERCENT = 2.0, 2.0
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Measure, print, and return 1 where an aim is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.idle", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long nothing happens (60)")
    parser.add_argument("--starts", type=int, default=STARTS, help=f"how many starts are timed ({STARTS})")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="halsorum-idle-") as folder:
        starts = [timed_start(Path(folder) / f"start-{number}") for number in range(given.starts)]
        report: dict[str, Any] = {"load": os.getloadavg()[0], "starts": starts}
        report |= idle(Path(folder) / "state", given.seconds)
    if given.json is not None:
        given.json.write_text(json.dumps(report, indent=1) + "\n")
    show(report)
    is_met = (
        min(each["ready_s"] for each in starts) <= READY_AIM_S and report["cpu_percent"] < IDLE_AIM_PERCENT
    )
    return 0 if is_met else 1


def timed_start(folder: Path) -> dict[str, float]:
    """From the program's start to READY=1, by the clock and in processor seconds."""
    folder.mkdir(parents=True)
    ca, certificate, key = TestAuthority().files(folder / "identity", "unit-7")
    (folder / "unit.toml").write_text(
        f'state_dir = "state"\nca_file = "{ca}"\ncertificate_file = "{certificate}"\nkey_file = "{key}"\n'
        f"broker_port = {free_port()}\nweb_port = {free_port()}\n"
    )
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(folder / "notify"))
        heard.settimeout(READY_WITHIN_S)
        environment = {**os.environ, "NOTIFY_SOCKET": str(folder / "notify")}
        # As on a unit, whose image holds the compiled modules.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        began = time.monotonic()
        command = [sys.executable, "-m", "agent", "--config", str(folder / "unit.toml")]
        process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        try:
            while heard.recv(4096) != b"READY=1":
                pass
            return {"ready_s": time.monotonic() - began, "cpu_s": processor_s(process.pid)}
        finally:
            process.kill()
            process.wait()


def idle(folder: Path, seconds: float) -> dict[str, Any]:
    """Of the agent alone; its children are counted once they have ended."""
    with Stack(folder) as stack:
        page = RoomPage(stack)
        page.until(lambda screen: screen["region_up"] and screen["ready"], 120)
        stop = threading.Event()
        listener = threading.Thread(target=listen, args=(stack, stop), daemon=True)
        listener.start()
        time.sleep(SETTLES_S)
        pid, state = stack.system["pids"]["unit"], folder / "unit"
        before, cpu, wakes, disk = files_of(state), processor_s(pid), switches(pid), written(pid)
        began, changes = time.monotonic(), {}
        while time.monotonic() - began < seconds:
            time.sleep(LOOK_EVERY_S)
            now = files_of(state)
            for name in now.keys() | before.keys():
                if now.get(name) != before.get(name):
                    changes[name] = changes.get(name, 0) + 1
            before = now
        took = time.monotonic() - began
        stop.set()
        return {
            "seconds": round(took, 1),
            "cpu_percent": round(100 * (processor_s(pid) - cpu) / took, 2),
            "wakes_per_s": round((switches(pid) - wakes) / took, 1),
            "disk_bytes": written(pid) - disk,
            "files_written": changes,
        }


def listen(stack: Stack, stop: threading.Event) -> None:
    """The feed as the touchscreen's page has it open."""
    jar = CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    browser.open(stack.system["screen"], timeout=10).close()
    with browser.open(f"http://localhost:{stack.ports['screen']}/api/feed", timeout=30) as feed:
        while not stop.is_set():
            feed.readline()


def files_of(folder: Path) -> dict[str, tuple[int, int]]:
    """Time of change and size of each file."""
    found = {}
    for file in folder.rglob("*"):
        with suppress(OSError):
            status = file.stat()
            if file.is_file():
                found[str(file.relative_to(folder))] = (status.st_mtime_ns, status.st_size)
    return found


def processor_s(pid: int) -> float:
    """Of all its threads, and of children that have ended (proc(5): fields 14 to 17)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(word) for word in fields[11:15]) / TICKS


def switches(pid: int) -> int:
    """How often any of its threads has waited for something (voluntary switches)."""
    total = 0
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        with suppress(OSError):
            total += int(status.read_text().partition("voluntary_ctxt_switches:")[2].split()[0])
    return total


def written(pid: int) -> int:
    """Bytes that it has caused to be written to a disk."""
    return int(Path(f"/proc/{pid}/io").read_text().partition("\nwrite_bytes:")[2].split()[0])


def show(report: dict[str, Any]) -> None:
    """The table."""
    starts = [each["ready_s"] for each in report["starts"]]
    processor = [each["cpu_s"] for each in report["starts"]]
    table = Table("figure", "measured", "aim", box=None, title_justify="left")
    table.add_row(
        f"agent ready, s (least / median of {len(starts)})",
        f"{min(starts):.2f} / {statistics.median(starts):.2f}",
        f"{READY_AIM_S:g}",
    )
    table.add_row("processor until then, s (median)", f"{statistics.median(processor):.2f}", "")
    table.add_row(
        f"idle for {report['seconds']:g} s: processor, % of a core",
        f"{report['cpu_percent']}",
        f"< {IDLE_AIM_PERCENT:g}",
    )
    table.add_row("threads woken, a second", f"{report['wakes_per_s']}", "")
    table.add_row("bytes written to disk", f"{report['disk_bytes']}", "0")
    for name, times in sorted(report["files_written"].items()):
        table.add_row(f"  {name}", f"{times} times", "")
    console = Console(highlight=False, width=110)
    console.print(f"Load of this machine before: {report['load']:.1f}")
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
