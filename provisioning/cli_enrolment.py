"""`halsorum enrol`, `bootstrap`, and which units and serial numbers the broker lets in."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from provisioning.cli_context import Command, command_of, now, told_to_person
from web.clinic.services import Refused

if TYPE_CHECKING:
    from provisioning.enrolment_settings import EnrolmentSettings
    from provisioning.enrolments import Enrolments
    from provisioning.settings import RegionSettings
    from provisioning.signing import Signer

enrol = typer.Typer(no_args_is_help=True, help="Units that ask to be let in.")
bootstrap = typer.Typer(no_args_is_help=True, help="The identities with which new units ask.")

UnitName = Annotated[str, typer.Argument(help="The unit's name.")]
Serial = Annotated[str, typer.Argument(help="The serial number, or the name of the unit that has it.")]
Reason = Annotated[str, typer.Option(help="Kept in the audit log.")]


@enrol.command("list")
def enrol_list(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Those that were decided, too.")] = False,
) -> None:
    """Who is at the door: compare the words with those on the unit's screen."""
    with told_to_person():
        lines = _enrolments(context).lines(all_states=everything)
    command_of(context).show(
        [
            {
                "id": line.id,
                "serial": line.serial,
                "words": " ".join(line.words),
                "state": f"{line.state}, rival" if line.rival else line.state,
                "at_the_door": line.at_the_door,
                "why": line.why,
                "was": line.was,
                "unit": line.unit or line.proposed_unit,
                "room": line.room_id,
                "board": line.board,
                "software": line.software,
                "asked_at": line.asked_at,
                "reason": line.reason,
            }
            for line in lines
        ],
        # The words are read aloud from here: eighty columns have to hold them unbroken.
        only_json=("was", "room", "board", "software", "asked_at", *(() if everything else ("reason",))),
    )


@enrol.command("approve")
def enrol_approve(
    context: typer.Context,
    number: Annotated[int, typer.Argument(help="As `halsorum enrol list` says it.")],
    unit: Annotated[
        str, typer.Option(help="The unit's name; left out, the one that the list proposes.")
    ] = "",
    room: Annotated[str | None, typer.Option(help="The room it stands in.")] = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Give it the name of a unit that exists, though it is another box."),
    ] = False,
) -> None:
    """Let a unit in, under a name; first compare the words."""
    with told_to_person():
        enrolments = _enrolments(context)
        name = unit or next((line.proposed_unit for line in enrolments.lines() if line.id == number), "")
        if not name:
            raise Refused("enrolment", "does not wait; see `halsorum enrol list`")
        enrolments.approve(number, name, room, _by(), confirmed=replace)
    words = f"{name} is let in, and works as soon as it has shown itself."
    command_of(context).done({"id": number, "unit": name, "room": room}, words)


@enrol.command("reject")
def enrol_reject(
    context: typer.Context,
    number: Annotated[int, typer.Argument(help="As `halsorum enrol list` says it.")],
    reason: Annotated[str, typer.Option(help="Shown on the unit's screen.")] = "",
) -> None:
    """Turn a unit away; it may ask again after a pause."""
    with told_to_person():
        _enrolments(context).reject(number, reason, _by())
    command_of(context).done({"id": number, "state": "rejected"}, f"Request {number} is rejected.")


def unit_arm(context: typer.Context, serial: Serial) -> None:
    """Let a unit ask to be let in once more: it was reset, or its certificate is over."""
    with told_to_person():
        serial = _enrolments(context).serial_of(serial)
        _enrolments(context).arm(serial, _by())
    command_of(context).done({"serial": serial, "state": "armed"}, f"{serial} may ask to be let in.")


def unit_block(context: typer.Context, serial: Serial) -> None:
    """Let a serial number ask no more. A unit that works goes on; to stop it, revoke it."""
    with told_to_person():
        serial = _enrolments(context).serial_of(serial)
        _enrolments(context).block(serial, _by())
    command_of(context).done({"serial": serial, "state": "blocked"}, f"{serial} may not ask any more.")


def unit_revoke(context: typer.Context, unit: UnitName, reason: Reason = "") -> None:
    """From now on the broker gives a unit nothing, and takes nothing from it."""
    with told_to_person():
        _enrolments(context).revoke(unit, reason, _by())
    command_of(context).done({"unit": unit, "revoked": True}, f"{unit} is revoked.")


def unit_unrevoke(context: typer.Context, unit: UnitName) -> None:
    """Take a revocation back."""
    with told_to_person():
        _enrolments(context).unrevoke(unit, _by())
    command_of(context).done({"unit": unit, "revoked": False}, f"{unit} may work again.")


@bootstrap.command("list")
def bootstrap_list(context: typer.Context) -> None:
    """Serial numbers that were seen or made here, and whether they may ask."""
    with told_to_person():
        lines = _enrolments(context).bootstraps()
    command_of(context).show(
        [
            {"serial": each.serial, "state": each.state, "unit": each.unit, "changed_at": each.changed_at}
            for each in lines
        ]
    )


@bootstrap.command("sign")
def bootstrap_sign(
    context: typer.Context,
    request: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="What `halsorum prepare` made on the unit.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for what goes back onto the unit.")] = Path(),
    serial: Annotated[str, typer.Option(help="Left out, the name in the request.")] = "",
) -> None:
    """Make a unit's bootstrap certificate; the unit's key stays on the unit."""
    from provisioning.bootstraps import make_bootstrap, write_for_unit
    from provisioning.signing import BadRequest, read_request

    command = command_of(context)
    with told_to_person():
        settings, enrolment, signer = _signer(command)
        try:
            csr = request.read_text()
            serial = serial or read_request(csr).subject_name or ""
        except BadRequest as error:
            raise Refused("request", error.reason) from None
        except (OSError, UnicodeDecodeError):
            raise Refused("request", "cannot be read") from None
        signed = make_bootstrap(command.database, signer, now, csr, serial, by=_by())
        host = enrolment.broker_host or settings.broker.host
        write_for_unit(out, signed, signer, host, enrolment.bootstrap_port)
    command.done(
        {"serial": serial, "sha256": signed.sha256, "folder": str(out)},
        f"{serial} may ask to be let in. Copy what is in {out} onto the unit (`halsorum prepare`).",
    )


def _signer(command: Command) -> tuple[RegionSettings, EnrolmentSettings, Signer]:
    from provisioning.settings import load_settings
    from provisioning.signing import Signer

    settings = load_settings(command.settings_file)
    enrolment = settings.enrolment
    if enrolment is None or enrolment.bootstrap_dir is None:
        raise Refused("bootstrap", "needs bootstrap_dir under [enrolment] in the region's settings")
    return settings, enrolment, Signer.of(enrolment)


def _enrolments(context: typer.Context) -> Enrolments:
    from provisioning.enrolments import Enrolments

    return Enrolments(command_of(context).database, now)


def _by() -> str:
    return f"cli:{getpass.getuser()}"
