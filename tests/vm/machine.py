"""One unit in QEMU, from power on to the plug pulled.

    with Machine(Path("build/halsorum-vm.img"), Path("somewhere")) as vm:
        vm.wait_until_up()
        status, out, err = vm.run("systemctl is-system-running")
        vm.power_cut()
        vm.start()

The image is never written: the machine's disk is a qcow2 file on top of it, in a folder that outlives power cuts.
"""

from __future__ import annotations

import ctypes
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.vm.guest_agent import Done, GuestAgent, GuestError
from tests.vm.hardware import OVMF_VARS, Hardware, Places, command
from tests.vm.qmp import Qmp
from tests.vm.source_tree import APP, packed, take_over

UP_WITHIN_S = 480.0
"""From power on to the first command, on a host that is busy, or gets little of its own processors."""
QEMU_WITHIN_S = 20.0
POLL_S = 0.25
SERIAL_TAIL = 3000
TABLET_MAX = 0x7FFF
PR_SET_PDEATHSIG = 1


class MachineError(RuntimeError):
    """The machine did not come as far as it should; the message holds the end of its console."""


@dataclass
class Machine:
    """Use as a context manager, or start and stop it yourself."""

    image: Path
    folder: Path
    hardware: Hardware = field(default_factory=Hardware)
    inside: Callable[[list[str]], list[str]] = field(default=lambda words: words)
    """Makes a command one that runs elsewhere: a Side's `inside` puts QEMU and its slirp into its namespace."""

    def __post_init__(self) -> None:
        # What a link points to may be another image tomorrow, and the disk is made on this one.
        self.image, self.folder = self.image.resolve(), self.folder.absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.places = Places(self.folder, Path(tempfile.mkdtemp(prefix="hsvm")))
        self.agent = GuestAgent(self.places.agent)
        self.process: subprocess.Popen[bytes] | None = None
        self._qmp: Qmp | None = None
        self.powered_at = 0.0
        """time.monotonic() at the last power on."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.power_cut()
        shutil.rmtree(self.places.sockets, ignore_errors=True)

    @property
    def disk(self) -> Path:
        """The machine's disk as it is now (qcow2), made on first use; write to it only while the power is off."""
        if not self.places.disk.exists():
            words = ("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b")
            _run(*words, str(self.image), str(self.places.disk))
        return self.places.disk

    @property
    def qmp(self) -> Qmp:
        """QEMU's own line."""
        assert self._qmp is not None, "the machine is off"
        return self._qmp

    def start(self) -> None:
        """Power on; returns as soon as QEMU runs. See wait_until_up."""
        assert self.process is None, "the machine is on"
        assert self.disk.exists()
        if not self.places.firmware_variables.exists():
            shutil.copy(OVMF_VARS, self.places.firmware_variables)
        for stale in (self.places.qmp, self.places.agent):
            stale.unlink(missing_ok=True)
        words = self.inside(command(self.hardware, self.places))
        with (self.folder / "qemu.log").open("ab") as log:
            # QEMU goes with whoever started it, however that ends: nothing keeps two cores busy for ever.
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_end_with_parent
            )
        self.powered_at = time.monotonic()
        until = self.powered_at + QEMU_WITHIN_S
        while self._qmp is None:
            try:
                self._qmp = Qmp(self.places.qmp)
            except OSError:
                if self.process.poll() is not None or time.monotonic() > until:
                    said = (self.folder / "qemu.log").read_text()
                    self.power_cut()
                    raise MachineError(f"QEMU does not run: {said}") from None
                time.sleep(0.05)

    def wait_until_up(self, within_s: float = UP_WITHIN_S) -> float:
        """Until the machine takes commands; returns the seconds since power on."""
        self.wait_for(self.agent.answers, "the machine's first answer", within_s)
        return self.on_for_s()

    def on_for_s(self) -> float:
        """Seconds since power on."""
        return time.monotonic() - self.powered_at

    def wait_for(self, happened: Callable[[], object], what: str, within_s: float = 60.0) -> float:
        """Until something holds (a GuestError counts as not yet); returns the seconds that it took."""
        began = time.monotonic()
        while True:
            try:
                if happened():
                    return time.monotonic() - began
            except GuestError:
                pass
            if self.process is None or self.process.poll() is not None:
                raise MachineError(f"the machine went off while waiting for {what}")
            if time.monotonic() > began + within_s:
                raise MachineError(f"not within {within_s:.0f} s: {what}. Console:\n{self.console()}")
            time.sleep(POLL_S)

    def run(self, line: str, *, timeout_s: float = 60.0, stdin: bytes | None = None) -> Done:
        """A line of sh in the machine, as root: (status, out, err)."""
        return self.agent.run(line, timeout_s=timeout_s, stdin=stdin)

    def check(self, line: str, *, timeout_s: float = 60.0) -> str:
        """The same for what has to succeed; returns its output, raises GuestError."""
        done = self.run(line, timeout_s=timeout_s)
        if done.status != 0:
            raise GuestError(f"status {done.status}: {line}\n{done.out}{done.err}")
        return done.out

    def put(self, file: str, content: bytes | Path, mode: int = 0o644) -> None:
        """A file into the machine."""
        self.agent.put(file, content.read_bytes() if isinstance(content, Path) else content, mode)

    def get(self, file: str) -> bytes:
        """A file out of the machine."""
        return self.agent.get(file)

    def power_cut(self) -> None:
        """Pull the plug: QEMU is killed (-9). Does nothing when the machine is off."""
        self.agent.close()
        if self._qmp is not None:
            self._qmp.close()
            self._qmp = None
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def shut_down(self, within_s: float = 90.0) -> None:
        """Off in order; raises MachineError if it does not go."""
        assert self.process is not None
        self.run("systemctl poweroff --no-block")
        try:
            self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            raise MachineError(f"did not shut down. Console:\n{self.console()}") from None
        self.power_cut()

    def boot_id(self) -> str:
        """Of the boot that the machine is in; another one after each restart."""
        return self.check("cat /proc/sys/kernel/random/boot_id").strip()

    def wait_for_restart(self, boot_id: str, within_s: float = UP_WITHIN_S) -> float:
        """Until it is up in another boot than this one; returns the seconds."""

        def is_up_again() -> bool:
            self.agent.close()
            return self.agent.answers() and self.boot_id() != boot_id

        return self.wait_for(is_up_again, "another boot", within_s)

    def console(self, characters: int = SERIAL_TAIL) -> str:
        """The end of what the serial console has said."""
        try:
            return self.places.serial.read_text(errors="replace")[-characters:]
        except OSError:
            return ""

    def screenshot(self, file: Path) -> Path:
        """The screen as a PNG."""
        self.qmp.execute("screendump", filename=str(file.absolute()), format="png")
        return file

    def set_link(self, up: bool) -> None:
        """Plug the network cable in, or pull it out."""
        self.qmp.execute("set_link", name="nic0", up=up)

    def point(self, x: float, y: float, *, down: bool | None = None) -> None:
        """Move virtio-tablet to a place of the screen (0 to 1 each), and press or let go there."""
        at = [
            {"type": "abs", "data": {"axis": axis, "value": round(v * TABLET_MAX)}}
            for axis, v in zip("xy", (x, y), strict=True)
        ]
        button = [] if down is None else [{"type": "btn", "data": {"button": "left", "down": down}}]
        self.qmp.execute("input-send-event", events=[*at, *button])

    def click(self, x: float, y: float) -> None:
        """Press and let go at a place of the screen (0 to 1 each)."""
        self.point(x, y)
        self.point(x, y, down=True)
        time.sleep(0.1)
        self.point(x, y, down=False)

    def mount_tree(self, tree: Path, *, restart: str = "halsorum-agent.service") -> None:
        """Lay a working tree over the image's programs and units until the next boot, and restart services.

        Compiled here, since compiling under emulation would take longer than the agent's start."""
        self.put("/run/lab-tree.tar.gz", packed(tree))
        self.check(take_over("/run/lab-tree.tar.gz", APP), timeout_s=120)
        if restart:
            self.check(f"systemctl restart {shlex.join(restart.split())}", timeout_s=120)


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, text=True)
