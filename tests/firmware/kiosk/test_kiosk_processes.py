"""A program, and all that it has started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from firmware.kiosk import processes
from firmware.kiosk.processes import Program

FAMILY = """
import subprocess, sys, time
from firmware.kiosk import processes
processes.keep_orphans()
kept = processes.Program(["sleep", "60"], {})
gone = processes.Program(["sh", "-c", "(sleep 61 & sleep 62) & sleep 63 & kill -STOP $$"], {})
while len(processes.descendants(gone.pid)) < 3:
    time.sleep(0.01)
processes.end_all(but=[kept.pid])
print(kept.poll(), gone.poll() is not None, len(processes.descendants(__import__("os").getpid())))
processes.end_all()
print(kept.poll() is not None)
"""


def test_everything_ends_but_what_is_kept_orphans_and_stopped_ones_too() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FAMILY], capture_output=True, text=True, timeout=20, check=True
    )
    assert done.stdout.split() == ["None", "True", "1", "True"]


def test_what_a_program_says_again_and_again_is_kept_once() -> None:
    program = Program(["sh", "-c", "for i in $(seq 9000); do echo the same >&2; done; echo the end >&2"], {})
    while program.poll() is None:
        program.listen()
        time.sleep(0.005)
    assert program.last_words() == "the same | the end"


def test_the_dead_have_no_children() -> None:
    process = subprocess.Popen(["sleep", "60"])
    assert process.pid in processes.children(os.getpid())
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert processes.descendants(process.pid) == []
    assert not Path(f"/proc/{process.pid}").exists()
