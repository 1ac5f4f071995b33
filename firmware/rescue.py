"""Starts a service again that systemd has given up: nobody visits a unit to do it.

`python -m firmware.rescue halsorum-agent.service`, started by OnFailure= (systemd/halsorum-rescue@.service) when a
service has failed as often as its StartLimitBurst= allows. systemd 252 knows no growing RestartSec=, so the wait
grows here. A unit whose agent or screen stays dead has its machine started anew, which also lets an update that
was no good roll back; others wait on, since a call may be going on beside them.
"""

from __future__ import annotations

import argparse
import logging
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from firmware.journal import start_logging

log = logging.getLogger("halsorum-rescue")

WAITS_S = (10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Before each start in a row; some 19 minutes together."""
WELL_AFTER_S = 1800.0
"""A service that failed longer ago than this was well in between: counting begins anew."""
RESTART_MACHINE_FOR = frozenset({"halsorum-agent.service", "halsorum-kiosk.service"})
COUNTS = Path("/run/halsorum-rescue")
"""Gone after a boot; so the machine is restarted three times an hour at most."""
SYSTEMCTL_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now: wait, then start the service, or the machine."""

    tries: int
    wait_s: float
    restart_machine: bool


def plan(unit: str, tries: int, since_last_s: float) -> Plan:
    """tries: rescues before this one, the last of them `since_last_s` ago. Pure."""
    if since_last_s > WELL_AFTER_S:
        tries = 0
    if tries < len(WAITS_S):
        return Plan(tries + 1, WAITS_S[tries], restart_machine=False)
    return Plan(tries + 1, WAITS_S[-1], restart_machine=unit in RESTART_MACHINE_FOR)


def rescue(
    unit: str,
    counts: Path,
    *,
    systemctl: Callable[..., None],
    sleep: Callable[[float], None] = time.sleep,
    now_s: Callable[[], float] = time.monotonic,
) -> None:
    """Wait as long as it is its turn to, and start it. Raises OSError, subprocess.SubprocessError."""
    tries, last_s = _kept(counts / unit)
    todo = plan(unit, tries, now_s() - last_s)
    what = "the machine is restarted" if todo.restart_machine else "it is started again"
    log.warning("%s has failed; rescue %d: %s in %g s", unit, todo.tries, what, todo.wait_s)
    sleep(todo.wait_s)
    counts.mkdir(parents=True, exist_ok=True)
    (counts / unit).write_text(f"{todo.tries} {now_s()}")
    if todo.restart_machine:
        systemctl("reboot")
        return
    systemctl("reset-failed", unit)
    systemctl("--no-block", "start", unit)


def _kept(file: Path) -> tuple[int, float]:
    try:
        tries, last_s = file.read_text().split()
        return int(tries), float(last_s)
    except (OSError, ValueError):
        return 0, 0.0


def run_systemctl(*arguments: str) -> None:
    """Raises CalledProcessError, TimeoutExpired."""
    subprocess.run(["systemctl", *arguments], check=True, timeout=SYSTEMCTL_TIMEOUT_S)


def main(arguments: list[str] | None = None) -> int:
    """Rescue one unit; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m firmware.rescue", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("unit", help="such as halsorum-agent.service")
    given = parser.parse_args(arguments)
    start_logging("rescue")
    try:
        rescue(given.unit, COUNTS, systemctl=run_systemctl)
    except (OSError, subprocess.SubprocessError) as error:
        log.error("%s could not be started again: %s", given.unit, error)  # noqa: TRY400
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
