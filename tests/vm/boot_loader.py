"""The boot loader's files on a machine's disk: further words for the kernel; its variables, seen from outside."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from firmware.image.grub import FIRST, environment
from firmware.update import grubenv
from tests.vm.disk_image import DiskError, partition, write_partition
from tests.vm.machine import Machine

PARTITION, CONFIGURATION = "esp", "::/grub/grub.cfg"
BEFORE = "panic=10"
"""A word that every system is started with, whichever slot it is in."""
OF_IMAGE = environment(FIRST)
"""The block as the image brings it; GRUB's own program holds its first line too."""
LINE = re.compile(r"[0-9a-f]{8,}:  ((?:[0-9a-f]{2} ?){16})")


def add_words(machine: Machine, words: Sequence[str]) -> None:
    """Whatever slot GRUB starts from now on, its kernel is given these too. Raises DiskError."""
    place = partition(machine.image, PARTITION)
    with tempfile.TemporaryDirectory() as folder:
        fat, text = Path(folder) / "esp.fat", Path(folder) / "grub.cfg"
        with machine.image.open("rb") as image:
            image.seek(place.start_byte)
            fat.write_bytes(image.read(place.size_bytes))
        _run("mcopy", "-n", "-i", str(fat), CONFIGURATION, str(text))
        text.write_text(with_words(text.read_text(), words))
        _run("mcopy", "-o", "-i", str(fat), str(text), CONFIGURATION)
        write_partition(machine.disk, place, fat)


def variables(machine: Machine) -> dict[str, str]:
    """GRUB's, as the disk has them now, whether the machine is on, in GRUB, or off.

    add_words() must have been used: what it wrote keeps its place in the disk's file, so that reading beside a
    running QEMU is safe."""
    at = _block_at(machine.image)
    words = ("-U", "-r", "-f", "qcow2", "-c", f"read -v {at} {grubenv.BLOCK_BYTES}")
    return grubenv.parse(bytes_of(_run("qemu-io", *words, str(machine.disk))))


@cache
def _block_at(image: Path) -> int:
    place = partition(image, PARTITION)
    with image.open("rb") as opened:
        opened.seek(place.start_byte)
        return place.start_byte + opened.read(place.size_bytes).index(OF_IMAGE)


def bytes_of(dump: str) -> bytes:
    """What qemu-io's `read -v` shows: `00100000:  eb 58 …  .X…`, 16 bytes a line."""
    lines = (LINE.match(line) for line in dump.splitlines())
    return b"".join(bytes.fromhex(found[1]) for found in lines if found)


def with_words(configuration: str, words: Sequence[str]) -> str:
    """grub.cfg with them. Raises DiskError where it has no place for them."""
    if configuration.count(BEFORE) != 1:
        raise DiskError(f"grub.cfg has the word {BEFORE} {configuration.count(BEFORE)} times, and not once")
    return configuration.replace(BEFORE, " ".join((BEFORE, *words)))


def _run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        raise DiskError(f"{words[0]}: {done.stderr}")
    return done.stdout
