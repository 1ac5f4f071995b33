"""GRUB's environment block, in which RAUC and GRUB keep which slot is booted next.

A block is 1024 bytes: a first line, `name=value` lines, and `#` up to the end (GRUB manual, section 15.2). This
stands in for `grub-editenv`, which RAUC calls by that name, for one reason: that one empties the file before it
writes it, and a power cut between the two leaves no slot to boot. Here the bytes are laid over the old ones; all
that matters stands in the first sector, which a disk writes whole or not at all.

`python -m firmware.update.grubenv FILE create|list|set NAME=VALUE…|unset NAME…`

>>> parse(render({"ORDER": "B A", "B_OK": "1"}))
{'ORDER': 'B A', 'B_OK': '1'}
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

BLOCK_BYTES = 1024
SECTOR_BYTES = 512
HEAD = "# GRUB Environment Block\n"
FIRST = {"ORDER": "A B", "A_OK": "1", "A_TRY": "0", "B_OK": "0", "B_TRY": "0", "PROVEN": "A"}
"""Of a unit as it leaves the works: slot A holds the system, slot B nothing."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VALUE = re.compile(r"[A-Za-z0-9 ._:-]*")


class EnvironmentBlockError(ValueError):
    """No environment block, or a value that does not go into one."""


def parse(block: bytes) -> dict[str, str]:
    """The variables. Raises EnvironmentBlockError."""
    if len(block) != BLOCK_BYTES or not block.startswith(HEAD.encode()):
        raise EnvironmentBlockError("this is no environment block of GRUB's")
    lines = block[len(HEAD) :].decode("ascii", "replace").split("\n")
    pairs = (line.partition("=") for line in lines if not line.startswith("#"))
    return {name: value for name, sign, value in pairs if sign}


def render(variables: Mapping[str, str]) -> bytes:
    """A block of these. Raises EnvironmentBlockError where GRUB would read something else, or a sector not do."""
    for name, value in variables.items():
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise EnvironmentBlockError(f"{name[:40]!r}: such a variable does not go into GRUB's environment")
    text = HEAD + "".join(f"{name}={value}\n" for name, value in variables.items())
    if len(text) > SECTOR_BYTES:
        raise EnvironmentBlockError("the variables take more than one sector")
    return text.ljust(BLOCK_BYTES, "#").encode("ascii")


def read(file: Path) -> dict[str, str]:
    """Raises EnvironmentBlockError or OSError."""
    return parse(file.read_bytes())


def change(file: Path, changes: Mapping[str, str | None]) -> dict[str, str]:
    """Set variables, or remove those that are None, in one write that is on disk when this returns."""
    changed: dict[str, str | None] = {**read(file), **changes}
    variables = {name: value for name, value in changed.items() if value is not None}
    _overwrite(file, render(variables))
    return variables


def create(file: Path) -> None:
    """A new block of a unit as it leaves the works; one that is there is left alone."""
    if not file.exists():
        file.write_bytes(render(FIRST))


def _overwrite(file: Path, block: bytes) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.pwrite(handle, block, 0)
        os.fsync(handle)
    finally:
        os.close(handle)


def _set(file: Path, words: Sequence[str]) -> None:
    change(file, {name: value for name, _, value in (word.partition("=") for word in words)})


def _list(file: Path, _words: Sequence[str]) -> None:
    sys.stdout.write("".join(f"{name}={value}\n" for name, value in read(file).items()))


_WORKS: Mapping[str, Callable[[Path, Sequence[str]], object]] = {
    "create": lambda file, _words: create(file),
    "list": _list,
    "set": _set,
    "unset": lambda file, words: change(file, dict.fromkeys(words)),
}


def main(words: Sequence[str]) -> int:
    """As grub-editenv(1); returns the exit status."""
    if len(words) < 2 or words[1] not in _WORKS:
        sys.stderr.write("grubenv: FILE create|list|set NAME=VALUE…|unset NAME… is needed\n")
        return 2
    try:
        _WORKS[words[1]](Path(words[0]), words[2:])
    except (OSError, EnvironmentBlockError) as error:
        sys.stderr.write(f"grubenv: {words[0]}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
