"""The lines that run inside of the machine, run here: against a server that answers as the agent does."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.vm.touchscreen import SCRIPT


def test_the_script_fits_into_a_line_of_sh() -> None:
    assert "'" not in SCRIPT
    compile(SCRIPT, "script", "exec")


def test_a_unit_that_is_not_there_is_waited_for_and_told() -> None:
    asked = json.dumps({"holds": "True", "within_s": 0})
    done = subprocess.run([sys.executable, "-c", SCRIPT], input=asked, text=True, capture_output=True)
    assert done.returncode == 1
    assert "the screen stays as it is" in done.stderr
