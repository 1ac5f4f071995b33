"""`halsorum prepare` and `halsorum identity`: a unit's bootstrap in preparation, and who it is.

    halsorum prepare --serial hr-000417 --identity /var/lib/halsorum/identity

makes the bootstrap key and its signing request. IT's `halsorum bootstrap sign` at the region makes a folder of
the request, whose files belong beside the key: certificate.pem, ca.pem and address.toml.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.config import SettingsError, load_settings
from agent.contract.fingerprint_words import words_of
from agent.identity import load_identity
from agent.identity_store import Held, IdentityError, IdentityStore

SETTINGS_FILE = Path("/etc/halsorum/unit.toml")
COMMANDS = ("prepare", "identity")


def main(arguments: list[str] | None = None) -> int:
    """Run one of the two; returns the exit status."""
    given = _parser().parse_args(arguments)
    try:
        return _prepare(given) if given.command == "prepare" else _identity(given)
    except (SettingsError, IdentityError, OSError, ValueError) as error:
        sys.stderr.write(f"halsorum {given.command}: {error}\n")
        return 1


def _prepare(given: argparse.Namespace) -> int:
    if not given.serial:
        raise IdentityError("say the number on the box: --serial hr-000417")
    folder = given.identity or _folder_in_settings(given.config)
    request = IdentityStore(folder).prepare(given.serial)
    if given.json:
        print(json.dumps({"serial": given.serial, "request": str(request)}))
    else:
        print(request)
    return 0


def _identity(given: argparse.Namespace) -> int:
    if given.identity is None and given.config.exists():
        settings = load_settings(given.config)
        if settings.identity_dir is None:
            own = load_identity(settings.certificate_file, settings.key_file)
            return _say({"current": _line(Held(own, settings.certificate_file.parent, None))}, given.json)
    store = IdentityStore(given.identity or _folder_in_settings(given.config))
    words = words_of(store.request().key_sha256) if (store.folder / "asking-enrolment").is_dir() else None
    held = {"bootstrap": store.bootstrap(), "current": store.current(), "new": store.new()}
    told: dict[str, Any] = {name: _line(each) if each is not None else None for name, each in held.items()}
    return _say(told | {"asking": list(words) if words is not None else None}, given.json)


def _line(held: Held) -> dict[str, Any]:
    identity = held.identity
    return {
        "name": identity.unit,
        "not_after": identity.not_after.isoformat(),
        "certificate_sha256": identity.certificate_sha256,
        "broker": f"{held.broker.host}:{held.broker.port}" if held.broker is not None else None,
    }


def _say(told: dict[str, Any], as_json: bool) -> int:
    if as_json:
        print(json.dumps(told))
        return 0
    titles = {"bootstrap": "serial number", "current": "works as", "new": "not proven yet"}
    for name, title in titles.items():
        if line := told.get(name):
            until = datetime.fromisoformat(line["not_after"])
            broker = f", broker {line['broker']}" if line["broker"] else ""
            print(f"{title + ':':<16}{line['name']}, until {until:%Y-%m-%d %H:%M} UTC{broker}")
    if told.get("asking"):
        print(f"{'asks with:':<16}{' '.join(told['asking'])}")
    if not any(told.values()):
        print("no identity: prepare the unit with halsorum prepare --serial NUMBER")
    return 0 if told.get("current") else 3


def _folder_in_settings(config: Path) -> Path:
    folder = load_settings(config).identity_dir
    if folder is None:
        raise IdentityError(f"{config} names no identity_dir; give --identity FOLDER")
    return folder


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="halsorum", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--serial", help="prepare: the number on the box, such as hr-000417")
    parser.add_argument(
        "--identity", type=Path, help="folder of the unit's identities, if not the settings' one"
    )
    parser.add_argument("--config", type=Path, default=SETTINGS_FILE, help="the unit's settings file")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    return parser
