"""What a machine has, laid out in a folder as the kernel shows it; and which of our boards it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware.found import ConnectedScreen, Found, GpioChip, Interface, Zone, edid_size_mm, look_around
from firmware.gpio_chip import chip_for
from firmware.pins import PinsProfile
from firmware.this_board import this_board

HEAD = bytes.fromhex("00ffffffffffff00")


def lay(root: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def edid(across: int, down: int, cm: tuple[int, int] = (34, 19), *, timing: bool = True) -> bytes:
    """Size in millimetres in the first detailed timing, and in whole centimetres."""
    block = bytearray(HEAD.ljust(128, b"\0"))
    block[21], block[22] = cm
    if timing:
        block[54] = 1
        block[66], block[67], block[68] = across & 255, down & 255, across >> 8 << 4 | down >> 8
    return bytes(block)


def test_a_unit_s_devices_are_found(tmp_path: Path) -> None:
    found = look_around(
        lay(
            tmp_path,
            {
                "sys/class/video4linux/video0/name": "HD Webcam",
                "sys/class/video4linux/video0/index": "0",
                "sys/class/video4linux/video1/name": "HD Webcam, metadata",
                "sys/class/video4linux/video1/index": "1",
                "sys/class/drm/card1-HDMI-A-1/status": "connected\n",
                "sys/class/drm/card1-HDMI-A-1/modes": "1920x1080\n1280x720\n",
                "sys/class/drm/card1-HDMI-A-1/edid": edid(344, 194),
                "sys/class/drm/card1-HDMI-A-2/status": "disconnected\n",
                "sys/class/input/event3/device/name": "Touch",
                "sys/class/input/event3/device/properties": "2\n",
                "sys/class/input/event3/device/capabilities/abs": "2608000 3\n",
                "sys/class/input/event0/device/name": "Keyboard",
                "sys/class/input/event0/device/properties": "0\n",
                "sys/class/net/eth0/device/vendor": "0x1",
                "sys/class/net/eth0/carrier": "1\n",
                "sys/class/net/lo/carrier": "1\n",
                "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
                "sys/class/thermal/thermal_zone0/temp": "51234\n",
            },
        )
    )
    assert found == Found(
        cameras=(("/dev/video0", "HD Webcam"),),
        screens=(ConnectedScreen("HDMI-A-1", 1920, 1080, 344, 194),),
        touch=("/dev/input/event3 Touch",),
        network=(Interface("eth0", True, False),),
        thermal=(Zone("cpu-thermal", 51.234),),
    )


def test_a_machine_that_has_nothing_is_no_error(tmp_path: Path) -> None:
    assert look_around(tmp_path) == Found()


def test_a_chip_that_may_not_be_asked_is_there_without_its_name(tmp_path: Path) -> None:
    assert look_around(lay(tmp_path, {"dev/gpiochip3": ""})).gpio == (GpioChip(3, "", 0),)


@pytest.mark.parametrize(
    ("block", "size"),
    [
        (edid(344, 194), (344, 194)),
        (edid(1210, 680), (1210, 680)),
        (edid(0, 0, timing=False), (340, 190)),
        (edid(0, 0, cm=(0, 0)), (0, 0)),  # a projector
        (b"", (0, 0)),
        (bytes(128), (0, 0)),
    ],
)
def test_a_screen_s_size_by_its_edid(block: bytes, size: tuple[int, int]) -> None:
    assert edid_size_mm(block) == size


@pytest.mark.parametrize(
    ("files", "name", "why"),
    [
        ({"proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0"}, "pi5", "Raspberry Pi 5"),
        ({"proc/device-tree/model": "Raspberry Pi Compute Module 4 Rev 1.0\0"}, "pi4", "Compute Module 4"),
        ({"proc/device-tree/model": "Radxa ROCK 5\0"}, "", "no profile"),
        (
            {"sys/class/dmi/id/sys_vendor": "QEMU", "sys/class/dmi/id/product_name": "Standard PC"},
            "vm",
            "QEMU",
        ),
        (
            {"sys/class/dmi/id/sys_vendor": "Intel", "sys/class/dmi/id/product_name": "NUC"},
            "x86",
            "Intel NUC",
        ),
        ({}, "", "does not say"),
    ],
)
def test_which_board_this_is(tmp_path: Path, files: dict[str, str], name: str, why: str) -> None:
    here = this_board(lay(tmp_path, dict(files)), machine="x86_64")
    assert here.name == name
    assert why in here.why


def test_the_panel_s_chip_is_found_by_its_label_whatever_its_number() -> None:
    others = (GpioChip(0, "gpio-brcmstb", 32), GpioChip(4, "pinctrl-rp1", 54), GpioChip(7, "cp2112_gpio", 8))
    assert chip_for(PinsProfile(help_button=22), others) == others[1]
    assert chip_for(PinsProfile(chip="cp2112_gpio", help_button=2), others) == others[2]
    assert chip_for(PinsProfile(help_button=22), others[:1]) is None
