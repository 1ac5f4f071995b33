"""The laboratory that scenes are played in: a region on the host, a unit in QEMU, a clinician's browser outside.

    unit (QEMU, behind slirp's NAT)  ==  region: broker, service  ==  office: Chromium

Each has its own network namespace (tests/system/network.py), so that addresses and ways are as in life. A scene
is a module in tests/vm/scenes with `play(lab)`; what it tries, it says in trials:

    with lab.trial("camera unloaded in a call", "sound goes on, picture back within 30 s") as trial:
        …
        trial.seen = "back after 4.1 s"
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from provisioning.models import UnitReport
from tests.system.people import Office
from tests.system.stack import Stack
from tests.system.visit import Booking, appointment, book, database, post
from tests.vm.call import Call, begin, end
from tests.vm.clinician import OfficeBrowser
from tests.vm.disk_image import partition, take_file
from tests.vm.guest_agent import GuestError
from tests.vm.hardware import Hardware
from tests.vm.identity import give_identity
from tests.vm.machine import Machine, MachineError
from tests.vm.report import Row, why
from tests.vm.tone import furnish
from tests.vm.touchscreen import Touchscreen

Result = TypeVar("Result")

READY_WITHIN_S = 420.0
"""From power on to a unit that has checked itself and told the region so, with the machine's two cores shared."""
WELL = ("ready", "degraded")
OFFICE_WINDOW = (640, 480)
KEPT_LINES = 400
MANY_BOOKED = 120
"""Visits far ahead; more than some 550 in a week are more than a schedule holds."""
FAR_AHEAD = 1400
"""Five minutes each: still within the week."""
KIOSK = ("halsorum-kiosk", "halsorum-seat", "serial-getty@ttyS0")
"""Services that a scene without a browser on the unit's screen leaves out: they fill an emulated processor."""
COMMAND_LINE = "root=PARTLABEL=root-a ro quiet loglevel=3 panic=10 rauc.slot=A console=ttyS0,115200"
"""As the image's GRUB gives it for its first root."""


class LabError(RuntimeError):
    """Something did not come as far as it should; the message says what."""


@dataclass
class Trial:
    """What a scene writes down while it tries."""

    seen: str = ""


class Lab:
    """One region and, at any time, one machine."""

    def __init__(self, folder: Path, image: Path, stack: Stack, tree: Path | None = None) -> None:
        self.folder, self.image, self.stack, self.tree = folder, image, stack, tree
        self.rows: list[Row] = []
        self.scene = ""
        self._machine: Machine | None = None
        self._browser: OfficeBrowser | None = None
        self._office: Office | None = None
        self._call: Call | None = None
        self._booked = 0

    @property
    def vm(self) -> Machine:
        """The machine that is on; for a scene that wants one of its own, one is powered on at first use."""
        return self._machine or self.power_on(self.scene)

    @property
    def is_on(self) -> bool:
        """Whether there is one."""
        return self._machine is not None

    @property
    def unit(self) -> str:
        """The unit's name at the region."""
        return str(self.stack.system["unit"])

    @property
    def room(self) -> str:
        """The room's."""
        return str(self.stack.system["room"])

    @property
    def touchscreen(self) -> Touchscreen:
        """The unit's screen."""
        return Touchscreen(self.vm)

    @property
    def identities(self) -> Path:
        """The folder of the unit that the region has let in already."""
        return self.stack.state / "unit" / "identity"

    @property
    def office(self) -> Office:
        """The clinician, signed in; the browser is started on first use."""
        if self._office is None:
            self._browser = OfficeBrowser(self.stack, self.folder).__enter__()
            self._office = Office.open(self._browser, self.stack, window=OFFICE_WINDOW)  # type: ignore[arg-type]
        return self._office

    @property
    def call(self) -> Call:
        """The call that is on; one is begun if none is. Scenes share it: what each takes away, it gives back."""
        if self._call is None:
            self._call = begin(self)
        return self._call

    def hang_up(self) -> None:
        """End the call that is on, if one is; returns when the unit has wiped it."""
        if self._call is not None:
            held, self._call = self._call, None
            end(self, held)

    @contextmanager
    def trial(self, did: str, expected: str) -> Iterator[Trial]:
        """One thing tried: a row of the table, whatever comes of it."""
        trial, began = Trial(), time.monotonic()
        try:
            yield trial
        except Exception as error:
            self._keep_evidence(len(self.rows))
            self._add(Row(self.scene, did, expected, why(error), time.monotonic() - began, ok=False))
        else:
            self._add(Row(self.scene, did, expected, trial.seen, time.monotonic() - began, ok=True))

    def power_on(
        self,
        name: str,
        identities: Path | None = None,
        hardware: Hardware | None = None,
        up: bool = True,
        before: Callable[[Machine], None] = lambda _machine: None,
    ) -> Machine:
        """A machine from a fresh disk, with the unit's identity or another folder of them; the one before goes
        off. Returns when it takes commands. Unless told otherwise it boots the image's kernel at once. `before`
        is what is still to be done to its disk."""
        self.power_off()
        assert self.stack.network is not None
        machine = Machine(
            self.image, self.folder / name, hardware or self.quick(), inside=self.stack.network.unit.inside
        )
        machine.places.disk.unlink(missing_ok=True)
        give_identity(machine, identities or self.identities)
        before(machine)
        self._machine = machine
        machine.start()
        if up:
            self.come_up()
        return machine

    def come_up(self) -> float:
        """After a power on or a restart: until the machine takes commands, with our tree if one was given, and
        its microphone in a room."""
        took_s = self.vm.wait_until_up()
        furnish(self.vm)
        if self.tree is not None:
            self.vm.mount_tree(self.tree)
        return took_s

    def power_off(self) -> None:
        """Pull the plug of the machine that is on, if one is."""
        if self._machine is not None:
            self._machine.__exit__(None, None, None)
            self._machine = None

    def close(self) -> None:
        """Everything off."""
        self.close_office()
        self.power_off()

    def close_office(self) -> None:
        """The clinician goes home: what the browser takes of two cores, a boot can use."""
        self._call = None
        if self._browser is not None:
            with suppress(Exception):
                self._browser.__exit__(None, None, None)
        self._browser = self._office = None

    def report(self, unit: str = "") -> tuple[str, int]:
        """What the region holds of a unit (ours): its state, and how many times it has started."""
        with database(self.stack) as db:
            found = db.get(UnitReport, unit or self.unit)
            return ("unknown", 0) if found is None else (found.state, found.boot)

    def wait_until_ready(
        self,
        after_boot: int = 0,
        within_s: float = READY_WITHIN_S,
        states: tuple[str, ...] = WELL,
        unit: str = "",
    ) -> float:
        """Until the region holds the unit well, started more often than `after_boot`; returns the seconds."""

        def is_well() -> bool:
            state, boot = self.report(unit)
            return state in states and boot > after_boot

        try:
            return self.vm.wait_for(is_well, f"the unit {' or '.join(states)} at the region", within_s)
        except MachineError as error:
            raise MachineError(f"it is {self.report(unit)} (state, starts): {error}") from None

    def clock_off_s(self, instant: str) -> float:
        """How far a moment (RFC 3339) that was just read is from the host's clock."""
        return (datetime.fromisoformat(instant) - datetime.now(UTC)).total_seconds()

    def book(self, *, after_min: float = 1, minutes: float = 30) -> Booking:
        """A visit through FHIR, from where the booking system stands; returns when the unit has it."""
        return self._from_office(lambda: book(self.stack, after_min=after_min, minutes=minutes))

    def book_far_ahead(self) -> None:
        """Another visit that only has to be in the schedule, or one of MANY_BOOKED moved; nobody waits for it."""
        name = {"system": "urn:test:tidbok", "value": f"far-{self._booked % MANY_BOOKED}"}
        visit = appointment(self.room, self.free_time(), 5, identifier=[name])
        self._from_office(lambda: post(self.stack, visit))

    def _from_office(self, work: Callable[[], Result]) -> Result:
        assert self.stack.network is not None
        return self.stack.network.office.call(work)

    def free_time(self) -> datetime:
        """Another time for each booking that only has to be there: five minutes each, from tomorrow on."""
        self._booked += 1
        minutes = 5 * (self._booked % FAR_AHEAD)
        return datetime.now(UTC).replace(microsecond=0) + timedelta(days=1, minutes=minutes)

    def quick(self, *without: str) -> Hardware:
        """A machine that boots kernel and initial RAM disk of the image's first root without firmware and GRUB,
        which take minutes of a busy host, and without the services named."""
        folder, image = self.folder / "boot", self.image.resolve()
        folder.mkdir(exist_ok=True)
        root = partition(image, "root-a")
        kernel, initrd = folder / "vmlinuz", folder / "initrd.img"
        for file in (kernel, initrd):
            take_file(image, root, f"/boot/{file.name}", file)
        return Hardware(kernel=kernel, initrd=initrd, append=" ".join((COMMAND_LINE, *masked(without))))

    def set_clock(self) -> None:
        """The machine's clock right again."""
        self.vm.check(f"date -s @{time.time():.0f}")

    def _add(self, row: Row) -> None:
        self.rows.append(row)
        print(
            f"{'ok    ' if row.ok else 'FAILED'} {row.scene}: {row.did}: {row.seen} ({row.seconds:.0f} s)",
            flush=True,
        )

    def _keep_evidence(self, number: int) -> None:
        kept = self.folder / f"failed-{number:02}-{self.scene}"
        kept.mkdir(parents=True, exist_ok=True)
        (kept / "error.txt").write_text(traceback.format_exc())
        (kept / "region.txt").write_text(self.stack.log("region")[-20_000:])
        if self._machine is None:
            return
        (kept / "console.txt").write_text(self._machine.console(20_000))
        with suppress(GuestError, MachineError, OSError):
            journal = self._machine.run(
                f"journalctl -b --no-pager -n {KEPT_LINES}; systemctl --failed --no-pager"
            )
            (kept / "journal.txt").write_text(journal.out)
        with suppress(RuntimeError, OSError):
            self._machine.screenshot(kept / "screen.png")


def masked(services: Sequence[str]) -> list[str]:
    """Words for the kernel that leave services out (systemd-debug-generator(8))."""
    return [f"systemd.mask={name}.service" for name in services]
