"""`make torture`: the real agent is killed at random moments of renewal, configuration and commands."""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agent.fault_points import LOG_VARIABLE
from provisioning.commands import Commands
from provisioning.configurations import Configurations
from provisioning.database import Database
from provisioning.local import UNIT
from provisioning.models import Unit, UnitReport
from tests.system.stack import Stack, StackError
from tests.torture.tally import Tally, begun_commands
from web.clinic.services import Refused

BACK_WITHIN_S = 90.0
LOOK_EVERY = 10
KILL_WITHIN_S = 4.0
"""A renewal takes about a second, a self-test two, the whole start of the agent two."""
EXPIRES_IN = timedelta(minutes=10)
BY = "cli:torture"


def main() -> int:
    """Torture, report, and return the exit status: 1 if anything was lost or done twice."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="halsorum-torture-") as folder:
        faults = Path(folder) / "faults"
        os.environ[LOG_VARIABLE] = str(faults)
        try:
            with Stack(Path(folder) / "state", starter="tests.torture.starter") as stack:
                tally = Torture(stack, faults, random.Random(options.seed)).run(options.cycles)
        except StackError as error:
            sys.stderr.write(f"The system could not be started: {error}\n")
            return 1
    said = "nothing lost, nothing done twice" if tally.ok else "NOT WELL"
    kills = ", ".join(f"{count} {what}" for what, count in sorted(tally.kills.items()))
    print(f"{tally.cycles} cycles ({kills}), {tally.begun} commands begun: {said}")
    for fault in (*tally.lost, *(f"command {each} was begun more than once" for each in tally.run_twice)):
        print(f"  {fault}")
    if options.json is not None:
        options.json.write_text(
            json.dumps({"ok": tally.ok, "seed": options.seed, **asdict(tally)}, indent=1) + "\n"
        )
    return 0 if tally.ok else 1


class Torture:
    """One system, whose unit is killed."""

    def __init__(self, stack: Stack, faults: Path, chance: random.Random) -> None:
        self._stack = stack
        self._faults = faults
        self._chance = chance
        self._database = Database(f"sqlite:///{stack.state.absolute()}/region/region.db")
        self._tally = Tally()
        self._works: dict[str, Callable[[], object]] = {
            "renewal": lambda: self._command("renew-certificate"),
            "configuration": self._configure,
            "command": lambda: self._command(chance.choice(("selftest", "show-message", "locate"))),
        }

    def run(self, cycles: int) -> Tally:
        """Give the unit something to do and kill it meanwhile; look now and then how it is."""
        self._look("before the first cycle")
        for number in range(1, cycles + 1):
            what = self._chance.choice(sorted(self._works))
            self._works[what]()
            time.sleep(self._chance.uniform(0.0, KILL_WITHIN_S))
            try:
                self._stack.kill_and_wait("unit")
            except StackError as error:
                self._tally.lost.append(f"cycle {number}, {what}: {error}")
                break
            self._tally.cycles = number
            self._tally.kills[what] = self._tally.kills.get(what, 0) + 1
            if number % LOOK_EVERY == 0 or number == cycles:
                if not self._look(f"cycle {number}, {what}"):
                    break
                print(f"{time.strftime('%H:%M:%S')} {number} of {cycles} cycles", flush=True)
        begun = begun_commands(self._faults.read_text().splitlines() if self._faults.exists() else ())
        self._tally.begun = len(begun)
        self._tally.run_twice = [command for command, count in begun.items() if count > 1]
        self._database.close()
        return self._tally

    def _command(self, name: str) -> None:
        arguments = {"text": "Prov"} if name == "show-message" else {}
        try:
            Commands(self._database, _now).send(UNIT, name, arguments, by=BY, expires_in=EXPIRES_IN)
        except Refused:
            return  # as many wait as may; the next look gives it time for them

    def _configure(self) -> None:
        phone = f"0771-{self._chance.randrange(10**6):06}"
        Configurations(self._database, _now).set_unit(UNIT, {"phone": phone}, BY)

    def _look(self, when: str) -> bool:
        """Whether the unit is back by itself, well, and with the configuration and schedule that it shall have."""
        until = time.monotonic() + BACK_WITHIN_S
        wrong = "it does not say anything"
        while time.monotonic() < until:
            with self._database.read() as db:
                wrong = _what_is_wrong(db.get_one(Unit, UNIT), db.get_one(UnitReport, UNIT))
            if not wrong:
                return True
            time.sleep(0.25)
        self._tally.lost.append(f"{when}: {wrong}")
        return False


def _what_is_wrong(unit: Unit, report: UnitReport) -> str:
    if report.state not in {"ready", "in_session", "degraded"}:
        return f"the unit is {report.state}"
    if (report.config_epoch, report.config_rev) != (unit.config_epoch, unit.config_rev):
        return f"configuration {report.config_rev} ({report.config_state}), not {unit.config_rev}"
    if (report.schedule_epoch, report.schedule_rev) != (unit.schedule_epoch, unit.schedule_rev):
        return f"schedule {report.schedule_rev}, not {unit.schedule_rev}"
    return ""


def _now() -> datetime:
    return datetime.now(UTC)


def _options() -> Any:
    parser = argparse.ArgumentParser(prog="make torture", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cycles", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
