"""Has systemd mount: whoever decides what is mounted needs no power to mount it. Standard library only.

A service that mounts for all others may have no mount namespace of its own and needs CAP_SYS_ADMIN, which is
nearly all of root. So ours writes a unit (systemd.mount(5)) into /run and has it started; the mount is made by
process 1, and comes into the service's own namespace by itself (systemd.exec(5), MountFlags=). It works before
D-Bus does, and systemd 252 finds a unit that was not there before without a reload.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from pathlib import Path

from firmware.programs import Run, run_program

UNITS = Path("/run/systemd/system")
MOUNT_WITHIN_S = 60.0
ASK_WITHIN_S = MOUNT_WITHIN_S + 10.0
"""systemctl waits for the unit, which systemd ends by itself."""
_PLAIN = frozenset(string.ascii_letters + string.digits + ":_.")


@dataclass(frozen=True, slots=True)
class MountUnit:
    """What is to be mounted where: as mount(8) has it. options must have no `%` and no blanks."""

    what: str
    where: Path
    kind: str
    options: str

    @property
    def name(self) -> str:
        """The unit's, which must be its place's (systemd.unit(5), STRING ESCAPING FOR INCLUSION IN UNIT NAMES)."""
        return f"{escaped(self.where)}.mount"

    @property
    def text(self) -> str:
        """The unit's file. No default dependencies: a service that local-fs.target waits for asks for it."""
        return (
            f"[Unit]\nDescription=Hälsorum: {self.where}\nDefaultDependencies=no\n"
            "Conflicts=umount.target\nBefore=local-fs.target umount.target\n\n"
            f"[Mount]\nWhat={self.what}\nWhere={self.where}\nType={self.kind}\nOptions={self.options}\n"
            f"TimeoutSec={MOUNT_WITHIN_S:g}\n"
        )


class Mounts:
    """The deeds. Nothing here raises: why a thing could not be mounted comes back."""

    def __init__(self, units: Path = UNITS, run: Run = run_program) -> None:
        self._units = units
        self._run = run

    def mount(self, *units: MountUnit) -> str:
        """All of them, one or more; empty if they are mounted, else why one is not."""
        try:
            is_changed = [self._write(self._units / unit.name, unit.text) for unit in units]
        except OSError as error:
            return f"{self._units}: {error.strerror}"
        if any(is_changed):  # systemd may hold what it said before
            self._run(("systemctl", "daemon-reload"), ASK_WITHIN_S)
        names = [unit.name for unit in units]
        exit_code, _said = self._run(("systemctl", "start", *names), ASK_WITHIN_S)
        if exit_code == 0:
            return ""
        self._run(("systemctl", "reset-failed", *names), ASK_WITHIN_S)
        return f"not mounted; the journal says why (journalctl -u {names[0]})"

    def unmount(self, where: Path) -> None:
        """If it can be."""
        self._run(("systemctl", "stop", f"{escaped(where)}.mount"), ASK_WITHIN_S)

    def _write(self, file: Path, text: str) -> bool:
        """Whether it said something else before."""
        is_known = file.exists()
        if is_known and file.read_text(encoding="utf-8") == text:
            return False
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return is_known


def point(link: Path, device: Path) -> str:
    """A link to a device, whole or not at all; empty, or why it could not be made. For What= of a unit, which
    would wait for udev, some seconds, if it had a name below /dev."""
    new = link.with_name(f"{link.name}.new")
    try:
        link.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        new.unlink(missing_ok=True)
        new.symlink_to(device)
        new.replace(link)
    except OSError as error:
        return f"{link}: {error.strerror}"
    return ""


def escaped(place: Path) -> str:
    """As `systemd-escape --path` does it."""
    path = str(place).strip("/")
    if not path:
        return "-"
    return "".join(_escaped(each, first=at == 0) for at, each in enumerate(path))


def _escaped(character: str, *, first: bool) -> str:
    if character == "/":
        return "-"
    if character in _PLAIN and not (first and character == "."):
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode())
