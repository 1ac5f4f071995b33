"""A whole room on this machine whose every device is a file, a process or a line that can be broken from outside.

Broker, region, coturn and a name service in one network namespace, the unit in another, a browser as its kiosk;
the machine's own sensors are a folder laid out as /sys. Runs in a mount namespace of its own (`own_mounts`).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

from agent.selftest_kept import FILE, Kept, kept
from agent.update.told import RUN
from provisioning.booking import Booker, Bookings
from provisioning.database import Database
from provisioning.models import BookedSession
from tests.bench.idle import processor_s
from tests.bench.selftest.agent_process import DRIVER_FILE, OFFSET_FILE
from tests.bench.selftest.devices import HEALTHY_BOARD, Devices, write_silence
from tests.bench.selftest.leftovers import end_children, family, wake_children
from tests.bench.selftest.starter import NAME, PORT, UNIT_SETTINGS
from tests.system.chromium import CHROMIUM, QUIET
from tests.system.coturn import SECRET, Coturn
from tests.system.network import REGION_ADDRESS, Network
from tests.system.room_page import RoomPage
from tests.system.stack import Stack
from tests.system.visit import book_by_command, command

BEFORE = timedelta(minutes=20)
LONG = timedelta(minutes=10)
ZONE = ZoneInfo("Europe/Stockholm")
TEST_WITHIN_S = 75.0
STATE_MIB = 64
OWN = "HALSORUM_BENCH_OWN_MOUNTS"


def own_mounts() -> None:
    """Begin this program anew where what it mounts is seen by nobody else, and goes with it."""
    if OWN not in os.environ:
        again = ["unshare", "--mount", "--propagation", "private", sys.executable, "-m", *_module()]
        os.execvpe(again[0], again, {**os.environ, OWN: "yes"})


def _module() -> list[str]:
    return ["tests.bench.selftest", *sys.argv[1:]]


class TooLate(RuntimeError):
    """This machine was too busy, or the room was: to be tried again."""


@dataclass(frozen=True)
class Found:
    """One self-test before a session. faults: instructions, as staff see them, the first to follow first. seconds:
    from the moment at which it was due; cpu_s: of the agent and its children meanwhile."""

    faults: tuple[str, ...]
    seconds: float
    cpu_s: float
    verdicts: tuple[dict[str, Any], ...] = ()


@dataclass
class Rig(Devices):
    """Use as a context manager. `folder` must be empty."""

    network: Network = field(default_factory=Network)
    sid: str = ""

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        """Each part is asked; what still runs then is ended, before its folder goes."""
        wake_children()
        try:
            self._stack.close()
        finally:
            left = end_children()
            if left:
                sys.stderr.write(f"ended what was left: {', '.join(left)}\n")

    def _start(self) -> None:
        keep = self._stack
        for name in ("devices", "sys", "turn", "kiosk"):
            (self.folder / name).mkdir(parents=True)
        self.lay_machine()
        write_silence(self.silence_file)
        self.write_camera(self.films["healthy"])
        self.board_file.write_text(self._board(HEALTHY_BOARD))
        keep.enter_context(self.network)
        self._resolver()
        self._over(RUN)
        self.turn = keep.enter_context(Coturn(self.folder / "turn", REGION_ADDRESS, self.network.region))
        secret = self.folder / "turn.secret"
        secret.write_text(SECRET)
        urls = f"{self.turn.udp} {self.turn.tcp}"
        os.environ |= {
            "HALSORUM_TURN__URLS": urls,
            "HALSORUM_TURN__SECRET_FILE": str(secret),
            OFFSET_FILE: str(self.folder / "clock-offset"),
            DRIVER_FILE: str(self.driver_file),
            UNIT_SETTINGS: json.dumps({"board": str(self.board_file), "sys_dir": str(self.sys)}),
        }
        self._over(self.state)
        self.system = keep.enter_context(
            Stack(self.folder / "system", starter="tests.bench.selftest.starter", network=self.network)
        )
        self._late_line()
        self.open_page()
        keep.callback(self.close_page)
        self.sid = book_by_command(self.system, after_min=60, minutes=10).sid

    def restart_agent(self) -> None:
        """By kill -9, as when the power goes; back when a self-test has ended."""
        began = datetime.now(UTC)
        self.system.kill_and_wait("unit")
        self.open_page()
        self._tested_after(began, "")

    def flush_address(self) -> None:
        """The cable is in, and nobody gave an address."""
        enter = ["ip", "-n", self.network.unit.namespace]
        subprocess.run([*enter, "address", "flush", "dev", "cable"], check=True)

    def stop_part(self, name: str) -> None:
        """Hold a process still: it keeps its ports and answers nobody."""
        for pid in self._pids(name):
            os.kill(pid, signal.SIGSTOP)

    def go_on(self, name: str) -> None:
        for pid in self._pids(name):
            os.kill(pid, signal.SIGCONT)

    def _pids(self, name: str) -> list[int]:
        first = {"names": self._names.pid, "kiosk": self._page.pid}.get(name)
        return family(first if first is not None else self.system.system["pids"][name])

    def open_page(self) -> None:
        """The kiosk: one browser on the touchscreen's pages."""
        self.close_page()
        profile = self.folder / "kiosk" / str(time.monotonic_ns())
        flags = [*QUIET, "--headless=new", f"--user-data-dir={profile}", "--window-size=1280,800"]
        words = self.network.unit.inside([CHROMIUM, *flags, self.system.system["screen"]])
        with (self.folder / "kiosk.log").open("ab") as log:
            # One that is killed leaves its own temporary folder, which goes with ours.
            own = {**os.environ, "TMPDIR": str(self.folder / "kiosk")}
            self._page = subprocess.Popen(words, stdout=log, stderr=log, env=own)

    def close_page(self) -> None:
        """The browser is gone."""
        page = getattr(self, "_page", None)
        if page is not None:
            for pid in reversed(family(page.pid)):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            page.wait()

    def late(self, seconds: float) -> None:
        """What goes to the broker is held back by so much."""
        self.late_file.write_text(str(seconds))

    @property
    def late_file(self) -> Path:
        return self.folder / "late-line"

    def filter(self, rules: str) -> None:
        """nftables rules where the unit's cable ends at the region; none: everything comes through."""
        nft = ["ip", "netns", "exec", self.network.region, "nft"]
        subprocess.run([*nft, "delete", "table", "inet", "bench"], capture_output=True)
        if rules:
            subprocess.run(
                [*nft, "-f", "-"], input=f"table inet bench {{\n{rules}\n}}\n", text=True, check=True
            )

    def wait_until_well(self, within_s: float = 90.0) -> None:
        """The start's own self-test has ended, and nothing is wrong."""
        until_s = time.monotonic() + within_s
        while (now := self.document())["faults"] or not now["ready"]:
            if time.monotonic() > until_s:
                raise RuntimeError(f"the room is not well to begin with: {now['faults']}")
            time.sleep(0.5)

    def let_learn(self) -> None:
        """Two more self-tests of the healthy room, as a unit has had many: what is usual is known then."""
        for _ in range(2):
            command(self.system, "command", "send", self.system.system["unit"], "selftest", "--wait")

    def before_session(
        self, lead_s: float, break_it: Callable[[], None], *, tested_since: bool = False
    ) -> Found:
        """Have a session begin in 20 minutes and lead_s, break something meanwhile, and wait for the self-test."""
        start = (datetime.now(UTC) + BEFORE + timedelta(seconds=lead_s)).replace(microsecond=0)
        self._book(start)
        break_it()
        due = start - BEFORE
        late_s = (datetime.now(UTC) - due).total_seconds()
        if late_s > 0:
            raise TooLate(f"the fault was made {late_s:.1f} s after the self-test was due")
        time.sleep(max(0.0, -late_s - 0.2))
        pid = self.system.system["pids"]["unit"]
        before_s = processor_s(pid)
        # After a new start the agent has tested itself with the fault already: each test since tells of it.
        last = self._tested_after(due, "" if tested_since else "before")
        found_s = (last.at - due).total_seconds()
        cpu_s = processor_s(pid) - before_s
        faults = tuple(self.document()["faults"])
        return Found(faults, found_s, cpu_s, tuple(_plain(verdict) for verdict in last.verdicts))

    def document(self) -> dict[str, Any]:
        """What the touchscreen shows."""
        return self.network.unit.call(lambda: RoomPage(self.system).screen())

    def _book(self, start: datetime) -> None:
        database = Database(f"sqlite:///{self.folder / 'system' / 'region' / 'region.db'}")
        try:
            bookings = Bookings(database, lambda: datetime.now(UTC), ZONE)
            with database.read() as db:
                booker = Booker(
                    "console", "it", "console", db.get_one(BookedSession, self.sid).room.clinic_id
                )
            bookings.move(booker, self.sid, start, start + LONG)
        finally:
            database.close()
        until_s = time.monotonic() + 20
        while (next_ := self.document()["next_session"]) is None or _at(next_["start"]) != start:
            if time.monotonic() > until_s:
                raise RuntimeError("the unit has not heard of the session")
            time.sleep(0.1)

    def _tested_after(self, due: datetime, occasion: str) -> Kept:
        until_s = time.monotonic() + TEST_WITHIN_S + max(0.0, (due - datetime.now(UTC)).total_seconds())
        while time.monotonic() < until_s:
            last = kept(self.state / "run")
            if last is not None and last.at > due and occasion in {"", last.occasion}:
                return last
            if last is not None and last.at > due and occasion == "before":
                raise TooLate(f"a self-test ({last.occasion}) was under way when the one before was due")
            time.sleep(0.05)
        raise RuntimeError(f"no self-test ({occasion}) ended in time; see {self.state / 'run' / FILE}")

    def _over(self, folder: Path) -> None:
        """A small file system of its own lies over this folder, which is made if it is not there."""
        if not folder.exists():
            folder.mkdir(parents=True)
            self._stack.callback(folder.rmdir)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={STATE_MIB}m", "none", folder], check=True)
        self._stack.callback(subprocess.run, ["umount", "-l", str(folder)], check=False)

    def _resolver(self) -> None:
        file = self.folder / "resolv.conf"
        file.write_text(f"nameserver {REGION_ADDRESS}\noptions timeout:1 attempts:1\n")
        subprocess.run(["mount", "--bind", str(file), str(Path("/etc/resolv.conf").resolve())], check=True)
        program = [sys.executable, "-m", "tests.bench.selftest.names", REGION_ADDRESS, NAME]
        self._names = subprocess.Popen(["ip", "netns", "exec", self.network.region, *program])
        self._stack.callback(_end, self._names)

    def _late_line(self) -> None:
        """After the broker's start, whose port is known then; the agent tries until it is there."""
        words = [REGION_ADDRESS, str(PORT), str(self.system.ports["broker"]), str(self.late_file)]
        program = [sys.executable, "-m", "tests.bench.selftest.late_line", *words]
        line = subprocess.Popen(["ip", "netns", "exec", self.network.region, *program])
        self._stack.callback(_end, line)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def _plain(verdict: Any) -> dict[str, Any]:
    return {
        name: getattr(verdict, name) for name in ("probe", "level", "figure", "unit", "reason", "instruction")
    }


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
