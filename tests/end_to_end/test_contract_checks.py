"""The contract's checks, as somebody with a side of their own runs them, against ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from provisioning import cli
from provisioning.local import UNIT
from tests.system.stack import Stack

pytestmark = pytest.mark.end_to_end


def run(stack: Stack, command: str, identity: tuple[Path, Path, Path], *more: str) -> dict[str, Any]:
    ca, certificate, key = (str(file) for file in identity)
    broker = f"localhost:{stack.ports['broker']}"
    given = ["--json", "contract", command, "--broker", broker, "--ca", ca, "--certificate", certificate]
    done = CliRunner().invoke(cli.app, [*given, "--key", key, *more])
    answer: dict[str, Any] = json.loads(done.stdout)
    failed = [each for each in answer["checks"] if each["result"] == "fail"]
    assert (failed, done.exit_code) == ([], 0)
    return {each["name"]: each["result"] for each in answer["checks"]}


def test_our_region_keeps_the_contract(own_stack: Stack) -> None:
    identity = own_stack.state / "unit" / "identity" / "current"
    files = identity / "ca.pem", identity / "certificate.pem", identity / "key.pem"
    with own_stack.paused("unit"):
        results = run(own_stack, "check-region", files)
    # Nobody sent a command, and there is no other bootstrap that is armed.
    assert {name for name, result in results.items() if result != "pass"} == {"command cleared", "enrolment"}


@pytest.mark.long
def test_our_unit_keeps_the_contract(own_stack: Stack) -> None:
    pki = own_stack.state / "pki"
    with own_stack.paused("region"):
        results = run(
            own_stack,
            "check-unit",
            (pki / "ca.pem", pki / "region.pem", pki / "region.key"),
            *("--unit", UNIT),
        )
    assert {name for name, result in results.items() if result != "pass"} == {"loss"}
