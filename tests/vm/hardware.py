"""What the machine is made of, and QEMU's command line for it: all of it software, no KVM needed.

Firmware is OVMF (UEFI), disk, network, screen and hands are virtio devices, the watchdog is an i6300ESB.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

QEMU = "qemu-system-x86_64"
OVMF_CODE = Path("/usr/share/OVMF/OVMF_CODE_4M.fd")
OVMF_VARS = Path("/usr/share/OVMF/OVMF_VARS_4M.fd")
TRANSLATION_CACHE_MIB = 512
"""TCG's translated code: with the default, Chromium and Python throw each other's out."""


@dataclass(frozen=True)
class Hardware:
    """What a scene may choose of the machine."""

    memory_mib: int = 2048
    cores: int = 1
    """Emulated on a busy host, two wait for each other until the kernel complains of lockups."""
    screen_px: tuple[int, int] = (1280, 800)
    rtc: str = "utc"
    """QEMU's -rtc base: "utc" or a moment, as 2031-05-01T12:00:00: a clock that is wrong from power on."""
    accelerator: str = "tcg"
    cpu: str = "max,la57=off"
    """Without five levels of page tables, each of which is walked in software."""
    kernel: Path | None = None
    """With initrd and append: boots this kernel at once, without firmware and boot loader."""
    initrd: Path | None = None
    append: str = "console=ttyS0"
    network: str = "user,id=net0"
    """QEMU's -netdev. The default is slirp: the host is 10.0.2.2, and what the host reaches, the guest reaches."""
    more: tuple[str, ...] = ()
    """Further words for QEMU."""


@dataclass(frozen=True)
class Places:
    """Where one machine's files and sockets are."""

    folder: Path
    sockets: Path
    """Short, since a socket's path has 107 characters at most."""

    @property
    def disk(self) -> Path:
        return self.folder / "disk.qcow2"

    @property
    def firmware_variables(self) -> Path:
        return self.folder / "efivars.fd"

    @property
    def serial(self) -> Path:
        return self.folder / "serial.log"

    @property
    def qmp(self) -> Path:
        return self.sockets / "qmp"

    @property
    def agent(self) -> Path:
        return self.sockets / "qga"


def command(hardware: Hardware, places: Places) -> list[str]:
    """QEMU's command line.

    The disk's cache is writeback: QEMU killed with -9 loses nothing that the guest had written to its disk, and
    all that it had not, as a pulled plug does. Not played: a disk that lies about its flushes, a torn sector.
    """
    tcg = f",thread=multi,tb-size={TRANSLATION_CACHE_MIB}" if hardware.accelerator == "tcg" else ""
    width, height = hardware.screen_px
    return [
        QEMU,
        *("-name", "halsorum", "-nodefaults", "-no-user-config", "-display", "none"),
        *("-machine", "q35", "-accel", f"{hardware.accelerator}{tcg}", "-cpu", hardware.cpu),
        *("-smp", str(hardware.cores), "-m", str(hardware.memory_mib)),
        *("-rtc", f"base={hardware.rtc}"),
        *_boot(hardware, places),
        *("-drive", f"file={places.disk},if=none,id=disk0,format=qcow2,cache=writeback,discard=unmap"),
        *("-device", "virtio-blk-pci,drive=disk0"),
        *("-netdev", hardware.network, "-device", "virtio-net-pci,netdev=net0,id=nic0"),
        *("-device", f"virtio-vga,xres={width},yres={height}"),
        *("-device", "virtio-tablet-pci", "-device", "virtio-keyboard-pci", "-device", "virtio-rng-pci"),
        # The chipset has a watchdog of its own, which is told not to reset by default.
        *("-device", "i6300esb", "-action", "watchdog=reset", "-global", "ICH9-LPC.noreboot=false"),
        *("-chardev", f"file,id=serial0,path={places.serial},append=on", "-serial", "chardev:serial0"),
        *("-qmp", f"unix:{places.qmp},server=on,wait=off"),
        *("-chardev", f"socket,id=qga0,path={places.agent},server=on,wait=off"),
        *("-device", "virtio-serial-pci"),
        *("-device", "virtserialport,chardev=qga0,name=org.qemu.guest_agent.0"),
        *hardware.more,
    ]


def _boot(hardware: Hardware, places: Places) -> list[str]:
    if hardware.kernel is not None:
        initrd = [] if hardware.initrd is None else ["-initrd", str(hardware.initrd)]
        return ["-kernel", str(hardware.kernel), *initrd, "-append", hardware.append]
    variables = f"if=pflash,format=raw,unit=1,file={places.firmware_variables}"
    return ["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={OVMF_CODE}", "-drive", variables]
