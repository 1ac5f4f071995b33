"""`halsorum broker write`: Mosquitto's files for a region's own broker."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from provisioning.cli_context import command_of, told_to_person
from web.clinic.services import Refused

broker = typer.Typer(no_args_is_help=True, help="The broker's configuration.")


@broker.command("write")
def broker_write(  # noqa: PLR0917 - typer's options are arguments
    context: typer.Context,
    folder: Annotated[Path, typer.Option(help="Where the files are written.")],
    place: Annotated[Path, typer.Option(help="Where they will lie on the broker's machine.")] = Path(
        "/etc/mosquitto/halsorum"
    ),
    port: Annotated[int, typer.Option(help="For units, over TLS.")] = 8883,
    bootstrap_port: Annotated[int, typer.Option(help="For units that want to enrol.")] = 8884,
    https_port: Annotated[int, typer.Option(help="TLS for units behind a firewall; 0: none.")] = 443,
    websocket_port: Annotated[int, typer.Option(help="WebSocket for units behind a proxy; 0: none.")] = 8443,
    region: Annotated[
        list[str] | None, typer.Option(help="A name of the region's at the broker; several for instances.")
    ] = None,
) -> None:
    """Write configuration and access rules for production; certificates and keys are put beside them."""
    from provisioning.broker_files import REGION, Ports, write_for_production
    from provisioning.settings import REGION_NAME

    ports = Ports(port, bootstrap_port, https_port, websocket_port)
    with told_to_person():
        if not all(REGION_NAME.fullmatch(name) for name in region or ()):
            raise Refused("region", "is named region, or with a name that begins with region-")
        try:
            written = write_for_production(folder, place, ports, tuple(region or (REGION,)))
        except OSError as error:
            raise Refused("folder", f"cannot be written: {error.strerror}") from None
    words = "\n".join([f"Written for {place} on the broker's machine:", *(f"  {name}" for name in written)])
    command_of(context).done({"folder": str(folder), "files": written}, words)
