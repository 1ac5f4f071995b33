"""`halsorum contract check-region` and `check-unit`: whether a side built by others keeps the contract."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from provisioning.cli_context import Command, command_of

if TYPE_CHECKING:
    from provisioning.conformance.checks import Outcome
    from provisioning.conformance.play import Door, Told

BrokerAt = Annotated[str, typer.Option("--broker", help="HOST:PORT.")]
CaFile = Annotated[Path, typer.Option("--ca", help="Authorities of the broker's certificate (PEM).")]
CertificateFile = Annotated[Path, typer.Option("--certificate", help="PEM; its name is who we are there.")]
KeyFile = Annotated[Path, typer.Option("--key", help="The certificate's key (PEM).")]
STYLES = {"pass": "green", "fail": "bold red", "not applicable": "dim"}


def check_region(  # noqa: PLR0917 - typer's options are arguments
    context: typer.Context,
    broker: BrokerAt,
    ca: CaFile,
    certificate: CertificateFile,
    key: KeyFile,
    bootstrap_certificate: Annotated[Path | None, typer.Option(help="Of a bootstrap that is armed.")] = None,
    bootstrap_key: Annotated[Path | None, typer.Option(help="Its key.")] = None,
    bootstrap_port: Annotated[int | None, typer.Option(help="The broker's port for it.")] = None,
    wait_command: Annotated[float, typer.Option(help="Seconds to wait for a command from IT.")] = 0.0,
) -> None:
    """Play a unit to a region, under the identity of a unit that is there for tests: it must not run meanwhile.

    Its certificate is renewed and its schedule's epoch grows. Exit code 1 if a check fails.
    """
    from provisioning.conformance import play

    door = _door(broker, ca, certificate, key)
    bootstrap = None
    if bootstrap_certificate is not None and bootstrap_key is not None and bootstrap_port is not None:
        host = broker.rpartition(":")[0]
        bootstrap = _door(f"{host}:{bootstrap_port}", ca, bootstrap_certificate, bootstrap_key)
    _run(
        command_of(context),
        lambda told: play.check_region(door, told, bootstrap=bootstrap, wait_command_s=wait_command),
    )


def check_unit(  # noqa: PLR0917 - typer's options are arguments
    context: typer.Context,
    broker: BrokerAt,
    ca: CaFile,
    certificate: CertificateFile,
    key: KeyFile,
    unit: Annotated[str, typer.Option(help="Whose topics: the name in the unit's certificate.")],
    wait_loss: Annotated[
        float, typer.Option(help="Seconds at the end in which somebody cuts the unit's power.")
    ] = 0.0,
) -> None:
    """Play a region to a unit, under the region's identity at the broker: the region must not run meanwhile.

    The unit's schedule is replaced, and comes back when the region does. Exit code 1 if a check fails.
    """
    from provisioning.conformance import play

    door = _door(broker, ca, certificate, key)
    _run(command_of(context), lambda told: play.check_unit(door, unit, told, wait_loss_s=wait_loss))


def _door(broker: str, ca: Path, certificate: Path, key: Path) -> Door:
    from provisioning.conformance.peer import Credentials
    from provisioning.conformance.play import Door

    host, _, port = broker.rpartition(":")
    if not host or not port.isdigit():
        raise typer.BadParameter("write HOST:PORT, such as broker.region.example:8883", param_hint="--broker")
    credentials = Credentials(ca, certificate, key)
    try:
        credentials.check()
    except (OSError, ValueError) as error:
        sys.stderr.write(f"The identity cannot be used: {error}\n")
        raise typer.Exit(2) from None
    return Door(host.strip("[]"), int(port), credentials)


def _run(command: Command, check: Callable[[Told], Sequence[Outcome]]) -> None:
    from provisioning.conformance.checks import Broken

    logging.disable(logging.WARNING)  # bad messages are sent on purpose; what is wrong is in the table
    try:
        outcomes = check(_progress(command))
    except Broken as broken:
        sys.stderr.write(f"Not checked: {broken}.\n")
        raise typer.Exit(1) from None
    finally:
        logging.disable(logging.NOTSET)
    failed = [outcome for outcome in outcomes if outcome.result == "fail"]
    if command.as_json:
        command.done({"ok": not failed, "checks": [asdict(outcome) for outcome in outcomes]}, "")
    else:
        _print(outcomes, len(failed))
    if failed:
        raise typer.Exit(1)


def _progress(command: Command) -> Told:
    def told(outcome: Outcome) -> None:
        if not command.as_json:
            sys.stderr.write(f"{outcome.name}: {outcome.result}\n")

    return told


def _print(outcomes: Sequence[Outcome], failed: int) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("check", "", "what was seen", "what the contract says", box=None, pad_edge=False)
    for outcome in outcomes:
        result = Text(outcome.result, STYLES[outcome.result])
        table.add_row(outcome.name, result, Text(outcome.said), outcome.sentence)
    console = Console(highlight=False)
    console.print(table)
    console.print(f"{failed} of {len(outcomes)} checks failed.")
