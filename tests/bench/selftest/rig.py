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
import wave
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
from tests.bench.selftest.agent_process import OFFSET_FILE
from tests.bench.selftest.certificates_of_any_age import HAND_MADE, hand_made, replace_certificate
from tests.bench.selftest.starter import NAME, PORT, UNIT_SETTINGS
from tests.system.chromium import CHROMIUM, QUIET
from tests.system.coturn import SECRET, Coturn
from tests.system.network import REGION_ADDRESS, Network
from tests.system.room_page import RoomPage
from tests.system.stack import Stack
from tests.system.visit import book_by_command

BEFORE = timedelta(minutes=20)
LONG = timedelta(minutes=10)
ZONE = ZoneInfo("Europe/Stockholm")
TEST_WITHIN_S = 75.0
STATE_MIB = 64
OWN = "HALSORUM_BENCH_OWN_MOUNTS"
BOARD = """encoders = {encoders}
[camera]
kind = "file"
file = "{camera}"
width = {width}
height = {height}
frame_rate = {rate}
[microphone]
kind = "file"
file = "{silence}"
[loudspeaker]
kind = "none"
[screen]
width_px = 1280
height_px = 800
width_mm = 217.0
height_mm = 136.0
touch = true
kiosk = true
[pins]
mock = true
camera_lamp = 17
door_lamp = 27
"""
HEALTHY_BOARD: dict[str, Any] = {"encoders": ["libx264"], "width": 1280, "height": 720, "rate": 30}


def own_mounts() -> None:
    """Begin this program anew where what it mounts is seen by nobody else, and goes with it."""
    if OWN not in os.environ:
        again = ["unshare", "--mount", "--propagation", "private", sys.executable, "-m", *_module()]
        os.execvpe(again[0], again, {**os.environ, OWN: "yes"})


def _module() -> list[str]:
    return ["tests.bench.selftest", *sys.argv[1:]]


class TooLate(RuntimeError):
    """This machine was too busy to break something in time."""


@dataclass(frozen=True)
class Found:
    """One self-test before a session. faults: instructions, as staff see them, the first to follow first. seconds:
    from the moment at which it was due; cpu_s: of the agent and its children meanwhile."""

    faults: tuple[str, ...]
    seconds: float
    cpu_s: float
    verdicts: tuple[dict[str, Any], ...] = ()


@dataclass
class Rig:
    """Use as a context manager. `folder` must be empty."""

    folder: Path
    films: dict[str, bytes]
    network: Network = field(default_factory=Network)
    sid: str = ""

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

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
        RUN.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "none", str(RUN)], check=True)
        self.turn = keep.enter_context(Coturn(self.folder / "turn", REGION_ADDRESS, self.network.region))
        secret = self.folder / "turn.secret"
        secret.write_text(SECRET)
        urls = f"{self.turn.udp} {self.turn.tcp}"
        os.environ |= {
            "HALSORUM_TURN__URLS": urls,
            "HALSORUM_TURN__SECRET_FILE": str(secret),
            OFFSET_FILE: str(self.folder / "clock-offset"),
            UNIT_SETTINGS: json.dumps({"board": str(self.board_file), "sys_dir": str(self.sys)}),
        }
        self.state.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={STATE_MIB}m", "none", self.state], check=True)
        keep.callback(subprocess.run, ["umount", "-l", str(self.state)], check=False)
        self.system = keep.enter_context(
            Stack(self.folder / "system", starter="tests.bench.selftest.starter", network=self.network)
        )
        self._late_line()
        self.open_page()
        keep.callback(self.close_page)
        self.sid = book_by_command(self.system, after_min=60, minutes=10).sid

    @property
    def sys(self) -> Path:
        """In the place of /sys."""
        return self.folder / "sys"

    @property
    def state(self) -> Path:
        """The unit's, on a small file system of its own."""
        return self.folder / "system" / "unit" / "state"

    @property
    def board_file(self) -> Path:
        return self.folder / "devices" / "board.toml"

    @property
    def camera_file(self) -> Path:
        return self.folder / "devices" / "camera.mp4"

    @property
    def silence_file(self) -> Path:
        """Nobody speaks in the room; its noise is the acoustics'."""
        return self.folder / "devices" / "silence.wav"

    def lay_machine(self) -> None:
        """A machine that is well: 48 °C, voltage in order, a screen that feels touches."""
        self.write_sys("class/thermal/thermal_zone0/type", "cpu-thermal")
        self.write_sys("class/thermal/thermal_zone0/temp", "48000")
        self.write_sys("class/hwmon/hwmon0/name", "rpi_volt")
        self.write_sys("class/hwmon/hwmon0/in0_lcrit_alarm", "0")
        self.write_sys("devices/platform/soc/soc:firmware/get_throttled", "0")
        self.write_sys("class/input/event0/device/properties", "2")
        self.write_sys("class/input/event0/device/capabilities/abs", "260800000000003")

    def write_sys(self, name: str, text: str) -> None:
        """One file of it."""
        file = self.sys / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")

    def write_camera(self, content: bytes) -> None:
        """What the camera sees from its next opening on."""
        beside = self.camera_file.with_suffix(".new")
        beside.write_bytes(content)
        beside.replace(self.camera_file)

    def acoustics(self, **values: Any) -> None:
        """How the room sounds; none: well (agent/media/sim_room.py)."""
        file = self.state / "acoustics.toml"
        if not values:
            file.unlink(missing_ok=True)
            return
        beside = file.with_suffix(".new")
        beside.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()))
        beside.replace(file)

    def board(self, **values: Any) -> None:
        """Another board from the agent's next start on, which follows at once."""
        self.board_file.write_text(self._board(HEALTHY_BOARD | values))
        self.restart_agent()

    def clock_off(self, seconds: float) -> None:
        """The machine's time of day is wrong by so much."""
        (self.folder / "clock-offset").write_text(str(seconds))

    def restart_agent(self) -> None:
        """By kill -9, as when the power goes; back when its first self-test has ended."""
        began = datetime.now(UTC)
        self.system.kill_and_wait("unit")
        self.open_page()
        self._tested_after(began, "start")

    def fill_disk(self) -> None:
        """All but a megabyte of the state's own file system."""
        free = os.statvfs(self.state)
        with (self.state / "filler").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, free.f_bavail * free.f_frsize - (1 << 20)))

    def empty_disk(self) -> None:
        (self.state / "filler").unlink(missing_ok=True)

    def update_told(self, document: dict[str, Any] | None) -> None:
        """What root's part says of the last installation (agent/update/told.py)."""
        file = RUN / "install.json"
        if document is None:
            file.unlink(missing_ok=True)
        else:
            file.write_text(json.dumps(document))

    def flush_address(self) -> None:
        """The cable is in, and nobody gave an address."""
        enter = ["ip", "-n", self.network.unit.namespace]
        subprocess.run([*enter, "address", "flush", "dev", "cable"], check=True)

    def certificate(self, left: timedelta | None) -> None:
        """The unit goes by a certificate of 90 days made by hand, of which so much is left; None: by its own."""
        text = self._unit_file.read_text()
        own = [line for line in text.splitlines() if not line.startswith(HAND_MADE)]
        if left is None:
            own = [line.removeprefix("#") for line in own]
        else:
            own = [f"#{line}" if line.startswith("identity_dir") else line for line in own]
            files = hand_made(self.folder / "system" / "pki", self.folder / "devices", "unit-1", left)
            own += [f'{name} = "{file}"' for name, file in zip(HAND_MADE, files, strict=True)]
        self._unit_file.write_text("\n".join(own) + "\n")
        self.restart_agent()

    def expired_certificate(self) -> None:
        """Its own has ended a day ago, and its machine's time is known."""
        current = (self.folder / "system" / "unit" / "identity" / "current").resolve()
        self._kept_identity = {file: file.read_bytes() for file in current.iterdir()}
        replace_certificate(self.folder / "system" / "pki", current, "unit-1", -timedelta(days=1))
        self.restart_agent()

    def own_certificate(self) -> None:
        """As it was."""
        for file, content in self._kept_identity.items():
            file.write_bytes(content)
        self.restart_agent()

    @property
    def _unit_file(self) -> Path:
        return self.folder / "system" / "unit" / "unit.toml"

    def stop_part(self, name: str) -> None:
        """Hold a process still: it keeps its ports and answers nobody."""
        for pid in self._pids(name):
            os.kill(pid, signal.SIGSTOP)

    def go_on(self, name: str) -> None:
        for pid in self._pids(name):
            os.kill(pid, signal.SIGCONT)

    def _pids(self, name: str) -> list[int]:
        first = {"names": self._names.pid, "kiosk": self._page.pid}.get(name)
        return _family(first if first is not None else self.system.system["pids"][name])

    def open_page(self) -> None:
        """The kiosk: one browser on the touchscreen's pages."""
        self.close_page()
        profile = self.folder / "kiosk" / str(time.monotonic_ns())
        flags = [*QUIET, "--headless=new", f"--user-data-dir={profile}", "--window-size=1280,800"]
        words = self.network.unit.inside([CHROMIUM, *flags, self.system.system["screen"]])
        with (self.folder / "kiosk.log").open("ab") as log:
            self._page = subprocess.Popen(words, stdout=log, stderr=log)

    def close_page(self) -> None:
        """The browser is gone."""
        page = getattr(self, "_page", None)
        if page is not None:
            for pid in reversed(_family(page.pid)):
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

    def before_session(self, lead_s: float, break_it: Callable[[], None]) -> Found:
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
        last = self._tested_after(due, "before")
        found_s = (last.at - due).total_seconds() - self._offset_s()
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
            offset = timedelta(seconds=self._offset_s())
            if last is not None and last.at - offset > due and last.occasion == occasion:
                return last
            time.sleep(0.05)
        raise RuntimeError(f"no self-test ({occasion}) ended in time; see {self.state / 'run' / FILE}")

    def _offset_s(self) -> float:
        return 0.0  # the file's own time is datetime.now()'s, which goes by the kernel

    def _board(self, values: dict[str, Any]) -> str:
        return BOARD.format(
            camera=self.camera_file,
            silence=self.silence_file,
            **(values | {"encoders": json.dumps(values["encoders"])}),
        )

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


def write_silence(file: Path, seconds: int = 10) -> None:
    """A sound file of nothing: 48 kHz, mono."""
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(48_000)
        sound.writeframes(bytes(2 * 48_000 * seconds))


def _plain(verdict: Any) -> dict[str, Any]:
    return {
        name: getattr(verdict, name) for name in ("probe", "level", "figure", "unit", "reason", "instruction")
    }


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _family(pid: int) -> list[int]:
    """A process and all that come from it."""
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        with suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                waiting += [int(word) for word in (task / "children").read_text().split()]
    return found
