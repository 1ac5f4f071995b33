from pathlib import Path

import pytest

from firmware.image import raspberry


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in (
        *(
            "boot/vmlinuz",
            "boot/initrd.img",
            "usr/lib/raspi-firmware/start4.elf",
            "usr/lib/raspi-firmware/fixup4.dat",
        ),
        "usr/lib/linux-image-6.1.0-56-arm64/broadcom/bcm2711-rpi-4-b.dtb",
        "usr/lib/linux-image-6.1.0-56-arm64/rockchip/rk3399-rock-pi-4.dtb",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_boot_partition_has_what_config_txt_names(root: Path) -> None:
    files = raspberry.boot_files(root)
    assert set(files) == {"vmlinuz", "initrd.img", "start4.elf", "fixup4.dat", "bcm2711-rpi-4-b.dtb"}
    assert "kernel=vmlinuz\n" in raspberry.CONFIG
    assert "initramfs initrd.img followkernel\n" in raspberry.CONFIG


def test_firmware_that_no_package_brought_is_named(root: Path) -> None:
    (root / "usr/lib/raspi-firmware/start4.elf").unlink()
    with pytest.raises(FileNotFoundError, match=r"raspi-firmware/start4\.elf"):
        raspberry.boot_files(root)


def test_command_line_is_one_line() -> None:
    assert raspberry.command_line(["ro", "quiet"]) == "root=PARTLABEL=root-a rootwait rauc.slot=A ro quiet\n"
