"""A root without an init restarts the machine from the initial RAM disk; it ends in no shell."""

from __future__ import annotations

import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[3] / "firmware/image/initramfs/scripts/init-bottom/halsorum-no-shell"


def run(folder, *words):
    """The script with a panic() that tells, in place of initramfs-tools' own."""
    functions = folder / "functions"
    functions.write_text('panic() { echo "panic: $*"; exit 3; }\n')
    text = SCRIPT.read_text()
    assert text.count("/scripts/functions") == 1
    shell = ["sh", "-c", text.replace("/scripts/functions", str(functions)), "halsorum-no-shell", *words]
    environment = {"PATH": "/usr/bin:/bin", "rootmnt": str(folder / "root"), "ROOT": "PARTLABEL=root-b"}
    done = subprocess.run(shell, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_it_goes_on_with_a_system_and_panics_without(tmp_path):
    assert run(tmp_path) == (3, "panic: There is no system in PARTLABEL=root-b.\n")
    init = tmp_path / "root/usr/lib/systemd/systemd"
    init.parent.mkdir(parents=True)
    init.touch(mode=0o755)
    assert run(tmp_path) == (0, "")


def test_it_is_a_script_that_initramfs_tools_runs(tmp_path):
    assert SCRIPT.stat().st_mode & 0o111
    assert run(tmp_path, "prereqs") == (0, "")
