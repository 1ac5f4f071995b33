"""Words put into the image's own grub.cfg."""

from __future__ import annotations

import pytest

from firmware.image import grub
from tests.vm.boot_loader import bytes_of, with_words
from tests.vm.disk_image import DiskError


def test_words_reach_the_one_line_that_starts_a_kernel():
    of_image = grub.config(["ro", "panic=10", "console=ttyS0"])
    changed = with_words(of_image, ["systemd.mask=one.service", "two"])
    [line] = [line for line in changed.splitlines() if "two" in line]
    assert line.strip().startswith("if linux ") and "panic=10 systemd.mask=one.service two console" in line
    assert len(changed.splitlines()) == len(of_image.splitlines())


def test_a_configuration_without_a_place_for_them_is_told():
    with pytest.raises(DiskError, match="0 times"):
        with_words("linux vmlinuz ro", ["two"])


def test_bytes_are_read_as_qemu_io_shows_them():
    shown = """00100000:  23 20 47 52 55 42 20 45 6e 76 69 72 6f 6e 6d 65  ..GRUB.Environme
00100010:  6e 74 20 42 6c 6f 63 6b 0a 4f 52 44 45 52 3d 41  nt.Block.ORDER.A
read 32/32 bytes at offset 1048576
"""
    assert bytes_of(shown) == b"# GRUB Environment Block\nORDER=A"
