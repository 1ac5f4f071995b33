"""grub.cfg's own words, run by a shell in which GRUB's commands are stand-ins: which slot is started when."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from firmware.image import grub

STAND_INS = """
regexp() { disk=${esp%%,*}; }
load_env() {
  shift
  while IFS= read -r line; do
    case $line in '#'*) ;; *=*) printf -v "${line%%=*}" %s "${line#*=}";; esac
  done < "$1"
}
save_env() {
  [ -e locked ] && return 1
  file=$2; shift 2
  for name; do echo "$name=${!name}"; done > saved
  cp saved "$file"
}
linux() { [ ! -e "$1.unreadable" ] && kernel="$*"; }
initrd() { [ -s "$1" ]; }
boot() { echo "$kernel"; exit 0; }
sleep() { :; }
reboot() { echo reboot; exit 0; }
root=hd0,gpt1
"""


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    for part in ("gpt2", "gpt3"):
        for name in ("vmlinuz", "initrd.img"):
            file = tmp_path / f"hd0,{part}" / "boot" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("x")
    (tmp_path / "hd0,gpt1/grub").mkdir(parents=True)
    return tmp_path


def start(disk: Path, environment: str | None = None) -> str:
    if environment is not None:
        (disk / "hd0,gpt1/grub/grubenv").write_text(environment)
    text = re.sub(
        r"^( *(?:if .*?then |else |; )*)set ", r"\1", grub.config(["ro", "quiet"]), flags=re.MULTILINE
    )
    text = re.sub(r"(; then|; else|;|then|else) set ", r"\1 ", text)
    text = re.sub(r"\((\$\w+(?:,\$\w+)?)\)", r"\1", text)
    done = subprocess.run(
        ["bash", "-c", STAND_INS + text], cwd=disk, capture_output=True, text=True, check=False
    )
    assert not done.stderr, done.stderr
    return done.stdout.splitlines()[-1]


def slot(line: str) -> str:
    found = re.search(r"root=PARTLABEL=root-([ab]) rauc\.slot=([AB])", line)
    assert found and found[1].upper() == found[2], line
    return found[2] + (" fresh" if "halsorum.unproven" in line else "")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (None, "A"),  # no grubenv at all
        ("", "A"),  # emptied by a power cut
        ("# GRUB Environment Block\n####\n", "A"),
        ("ORDER=B A\nPROVEN=A\nA_OK=1\nB_OK=1\nA_TRY=0\nB_TRY=0\n", "B fresh"),  # just installed
        ("ORDER=B A\nPROVEN=A\nA_OK=1\nB_OK=1\nA_TRY=0\nB_TRY=1\n", "A"),  # tried once, not proven
        ("ORDER=B A\nPROVEN=A\nA_OK=1\nB_OK=0\nA_TRY=0\nB_TRY=0\n", "A"),  # found bad
        ("ORDER=B A\nPROVEN=B\nA_OK=1\nB_OK=1\nA_TRY=0\nB_TRY=0\n", "B"),  # proven
        ("ORDER=B A\nPROVEN=B\nA_OK=0\nB_OK=0\nA_TRY=1\nB_TRY=1\n", "B"),  # proven: counts say nothing
        ("ORDER=C B A\nPROVEN=C\nA_OK=0\nB_OK=0\nA_TRY=0\nB_TRY=0\n", "B"),  # nothing left to choose
    ],
)
def test_which_slot(disk: Path, environment: str | None, expected: str) -> None:
    if "PROVEN=C" in (environment or ""):
        (disk / "hd0,gpt2/boot/vmlinuz").unlink()
    assert slot(start(disk, environment)) == expected


def test_a_try_is_written_down_before_it_begins(disk: Path) -> None:
    new = "ORDER=B A\nPROVEN=A\nA_OK=1\nB_OK=1\nA_TRY=0\nB_TRY=0\n"
    assert slot(start(disk, new)) == "B fresh"
    assert "B_TRY=1" in (disk / "hd0,gpt1/grub/grubenv").read_text().splitlines()
    assert slot(start(disk)) == "A"


def test_a_try_that_cannot_be_counted_is_not_made(disk: Path) -> None:
    (disk / "locked").touch()
    assert slot(start(disk, "ORDER=B A\nPROVEN=A\nA_OK=1\nB_OK=1\nA_TRY=0\nB_TRY=0\n")) == "A"


@pytest.mark.parametrize("broken", ["vmlinuz", "initrd.img"])
def test_a_slot_that_cannot_be_read_gives_way_to_the_other(disk: Path, broken: str) -> None:
    (disk / "hd0,gpt2/boot" / broken).write_text("")
    assert slot(start(disk, "ORDER=A B\nPROVEN=A\nA_OK=1\nB_OK=0\n")) == "B"


def test_with_nothing_to_start_the_machine_restarts(disk: Path) -> None:
    for part in ("gpt2", "gpt3"):
        shutil.rmtree(disk / f"hd0,{part}")
    assert start(disk, "") == "reboot"


def test_environment_is_what_grub_writes_in_place() -> None:
    block = grub.environment({"ORDER": "A B", "A_OK": "1"})
    assert len(block) == 1024
    assert block.startswith(b"# GRUB Environment Block\nORDER=A B\nA_OK=1\n###")


@pytest.mark.skipif(shutil.which("grub-script-check") is None, reason="GRUB's own checker is not installed")
def test_grub_can_read_it(tmp_path: Path) -> None:
    file = tmp_path / "grub.cfg"
    file.write_text(grub.config(["ro"]))
    subprocess.run(["grub-script-check", str(file)], check=True)
