from __future__ import annotations

from pathlib import Path

from tests.vm.hardware import OVMF_CODE, Hardware, Places, command

PLACES = Places(Path("/vm"), Path("/sockets"))


def after(words: list[str], name: str) -> list[str]:
    return [words[at + 1] for at, word in enumerate(words) if word == name]


def test_the_machine_is_emulated_and_boots_by_firmware() -> None:
    words = command(Hardware(), PLACES)
    assert after(words, "-accel") == ["tcg,thread=multi,tb-size=512"]
    assert f"if=pflash,format=raw,unit=0,readonly=on,file={OVMF_CODE}" in after(words, "-drive")
    assert "-kernel" not in words


def test_its_disk_keeps_what_was_written_and_no_more_when_it_is_killed() -> None:
    [disk] = [word for word in after(command(Hardware(), PLACES), "-drive") if "id=disk0" in word]
    assert "file=/vm/disk.qcow2" in disk and "cache=writeback" in disk


def test_a_kernel_of_its_own_needs_no_firmware() -> None:
    words = command(Hardware(kernel=Path("/k"), initrd=Path("/i"), append="quiet"), PLACES)
    assert (after(words, "-kernel"), after(words, "-initrd"), after(words, "-append")) == (
        ["/k"],
        ["/i"],
        ["quiet"],
    )
    assert not any("pflash" in word for word in words)


def test_a_scene_may_choose_the_clock_the_accelerator_and_more() -> None:
    words = command(Hardware(rtc="2031-05-01T12:00:00", accelerator="kvm", more=("-S",)), PLACES)
    assert after(words, "-rtc") == ["base=2031-05-01T12:00:00"]
    assert after(words, "-accel") == ["kvm"]
    assert words[-1] == "-S"


def test_the_watchdog_resets_as_a_boards_does() -> None:
    words = command(Hardware(), PLACES)
    assert "i6300esb" in after(words, "-device")
    assert after(words, "-action") == ["watchdog=reset"]
