"""What Mosquitto (2.0.11 or later) reads: its configuration and who may do what, for `make run` and production.

Units come to one listener with certificates of the operational authority, those that want to enrol to another
with certificates of bootstrap authorities; neither takes the other's. Topics are those of agent.contract.topics.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import replace as dataclass_replace
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Literal

from provisioning.pki import Credentials

REGION = "region"
MAIN_ACL, BOOTSTRAP_ACL = "mosquitto.acl", "bootstrap.acl"
_ABOUT = {
    "main": "Units and the region, over TLS.",
    "https": "The same for those behind a firewall that lets port 443 out alone; Mosquitto takes TLS with or "
    "without ALPN.",
    "websocket": "The same over WebSocket with TLS, for those behind a proxy that wants HTTP.",
    "bootstrap": "Units that want to enrol, under their serial numbers.",
}


@dataclass(frozen=True, slots=True)
class Listener:
    """One door of the broker. host: empty for all addresses of the machine."""

    kind: Literal["main", "https", "websocket", "bootstrap"]
    port: int
    host: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ports:
    """A broker's doors in production; 0: that one is left out."""

    main: int = 8883
    bootstrap: int = 8884
    https: int = 443
    websocket: int = 8443

    def listeners(self) -> list[Listener]:
        """On all addresses of the machine."""
        doors = (
            Listener("main", self.main, ""),
            Listener("https", self.https, ""),
            Listener("websocket", self.websocket, ""),
            Listener("bootstrap", self.bootstrap, ""),
        )
        return [door for door in doors if door.port]


@dataclass(frozen=True, slots=True)
class BrokerFiles:
    """What Mosquitto reads, and what it writes to."""

    config: Path
    acl: Path
    bootstrap_acl: Path
    store: Path
    log: Path
    pid: Path

    @classmethod
    def in_folder(cls, folder: Path) -> BrokerFiles:
        """The files by their names."""
        names = ("mosquitto.conf", MAIN_ACL, BOOTSTRAP_ACL, "store", "mosquitto.log", "mosquitto.pid")
        return cls(*(folder / name for name in names))


@dataclass(frozen=True, slots=True)
class Installation:
    """Where things are on the broker's machine, as the configuration names them."""

    files: BrokerFiles
    ca_file: Path
    bootstrap_ca_file: Path
    certificate_file: Path
    key_file: Path
    user: str


@dataclass(frozen=True, slots=True)
class Access:
    """Whom the broker gives nothing: revoked units, and bootstraps that are used or blocked."""

    revoked: frozenset[str] = frozenset()
    bootstraps: frozenset[str] = frozenset()


def write_files(
    folder: Path,
    server: Credentials,
    *,
    port: int,
    host: str = "127.0.0.1",
    regions: Sequence[str] = (REGION,),
    access: Access | None = None,
    bootstrap: tuple[int, Path] | None = None,
    others: Sequence[Listener] = (),
) -> BrokerFiles:
    """Write configuration and access rules into a folder of the broker's own; the store in it is kept.

    bootstrap: the port for those that want to enrol, and the file of the authorities they may come from.
    """
    paths = BrokerFiles.in_folder(folder.absolute())
    paths.store.mkdir(parents=True, exist_ok=True, mode=0o700)
    listeners = [Listener("main", port, host), *others]
    if bootstrap is not None:
        listeners.append(Listener("bootstrap", bootstrap[0], host))
    place = Installation(
        files=paths,
        ca_file=server.ca_file.absolute(),
        bootstrap_ca_file=bootstrap[1].absolute() if bootstrap else server.ca_file.absolute(),
        certificate_file=server.certificate_file.absolute(),
        key_file=server.key_file.absolute(),
        user=pwd.getpwuid(os.getuid()).pw_name,
    )
    replace(paths.config, configuration(place, listeners))
    write_access(paths, regions=regions, access=access)
    return paths


def write_for_production(
    folder: Path, place: Path, ports: Ports, regions: Sequence[str] = (REGION,)
) -> list[str]:
    """Write what Mosquitto reads on a machine of its own, where it will lie in `place`; returns the files' names.

    Access rules that are there already are kept: they hold whom the region has revoked since.
    """
    folder.mkdir(parents=True, exist_ok=True)
    there = BrokerFiles.in_folder(place)
    installed = Installation(
        files=dataclass_replace(
            there, store=Path("/var/lib/mosquitto"), pid=Path("/run/mosquitto/mosquitto.pid")
        ),
        ca_file=place / "ca.pem",
        bootstrap_ca_file=place / "bootstrap-ca.pem",
        certificate_file=place / "broker.pem",
        key_file=place / "broker.key",
        user="mosquitto",
    )
    texts = {
        there.config.name: configuration(installed, ports.listeners()),
        there.acl.name: main_rules(regions, ()),
        there.bootstrap_acl.name: bootstrap_rules(()),
    }
    for name, text in texts.items():
        if name == there.config.name or not (folder / name).exists():
            (folder / name).write_text(text)
    return sorted(texts)


def write_access(
    paths: BrokerFiles, *, regions: Sequence[str] = (REGION,), access: Access | None = None
) -> None:
    """Write the access rules. A running broker reads them again on SIGHUP."""
    access = access or Access()
    replace(paths.acl, main_rules(regions, access.revoked))
    replace(paths.bootstrap_acl, bootstrap_rules(access.bootstraps))


def configuration(place: Installation, listeners: Iterable[Listener]) -> str:
    """The text of mosquitto.conf."""
    values = {
        "user": place.user,
        "store": str(place.files.store),
        "pid_file": f"pid_file {place.files.pid}",
        "listeners": "".join(_listener(place, listener) for listener in listeners).rstrip("\n"),
    }
    return _template("mosquitto.conf").substitute(values)


def main_rules(regions: Iterable[str], revoked: Iterable[str]) -> str:
    """The text of the ACL file for units; a revoked one may do nothing at all."""
    region_rules = _template("mosquitto_region.acl")
    own = "".join(region_rules.substitute(region=region) for region in regions)
    return _template("mosquitto.acl").template + own + _denials(revoked)


def bootstrap_rules(denied: Iterable[str]) -> str:
    """The text of the ACL file for those that want to enrol."""
    return _template("mosquitto_bootstrap.acl").template + _denials(denied)


def replace(path: Path, text: str) -> None:
    """Whole or not at all. A file that is there keeps its mode and group, by which the broker may read it."""
    mode, group = 0o600, -1
    with suppress(FileNotFoundError):
        there = path.stat()
        mode, group = there.st_mode & 0o777, there.st_gid
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        if group >= 0:
            with suppress(PermissionError):
                os.fchown(file.fileno(), -1, group)
        os.fchmod(file.fileno(), mode)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _listener(place: Installation, listener: Listener) -> str:
    bootstrap = listener.kind == "bootstrap"
    return _template("mosquitto_listener.conf").substitute(
        about=_ABOUT[listener.kind],
        port=str(listener.port),
        host=f" {listener.host}" if listener.host else "",
        protocol="protocol websockets" if listener.kind == "websocket" else "protocol mqtt",
        ca_file=str(place.bootstrap_ca_file if bootstrap else place.ca_file),
        certificate_file=str(place.certificate_file),
        key_file=str(place.key_file),
        acl_file=str(place.files.bootstrap_acl if bootstrap else place.files.acl),
    )


def _denials(names: Iterable[str]) -> str:
    return "".join(f"\nuser {name}\ntopic deny #\n" for name in sorted(set(names)))


def _template(name: str) -> Template:
    return Template(files("provisioning").joinpath(name).read_text())
