"""Bootstrap identities that the region makes itself, where no maker has: at IT's bench, before a box goes out."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from agent.contract import ContractError, Topic
from provisioning import audit
from provisioning.broker_files import replace
from provisioning.database import Database
from provisioning.fleet_models import Bootstrap
from provisioning.issuing import key_was_used, record
from provisioning.models import Unit
from provisioning.signing import BadRequest, Signed, Signer, read_request
from web.clinic.services import Refused

CERTIFICATE, CA, ADDRESS = "certificate.pem", "ca.pem", "address.toml"
"""What the unit keeps beside its key."""


def make_bootstrap(
    database: Database, signer: Signer, clock: Callable[[], datetime], csr_pem: str, serial: str, *, by: str
) -> Signed:
    """Sign a bootstrap certificate for a serial number, which is armed by that. Raises Refused."""
    now = clock()
    try:
        request = read_request(csr_pem)
        Topic(serial, "up/enrol")
    except BadRequest as error:
        raise Refused("request", error.reason) from None
    except ContractError:
        raise Refused("serial", "has 1 to 63 lowercase letters, digits and hyphens") from None
    with database.write() as db:
        if db.get(Unit, serial) is not None:
            raise Refused("serial", f"{serial} is a unit's name; the broker would take the two for one")
        if key_was_used(db, request):
            raise Refused("request", "has a key that was used before; make a new one on the unit")
        signed = signer.bootstrap(request, serial)
        row = db.get(Bootstrap, serial, with_for_update=True)
        if row is None:
            row = Bootstrap(serial=serial, state="armed", changed_at=now)
            db.add(row)
        row.certificate_sha256 = signed.sha256
        record(db, request, signed, serial, purpose="bootstrap", now=now)
        fields = {"sha256": signed.sha256[:16]}
        audit.note(db, now, by=by, action="bootstrap_made", target=f"serial:{serial}", fields=fields)
    return signed


def write_for_unit(folder: Path, signed: Signed, signer: Signer, host: str, port: int) -> None:
    """What goes onto the unit, beside the key that is there already."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    replace(folder / CERTIFICATE, signed.pem)
    replace(folder / CA, signer.ca_pem)
    replace(folder / ADDRESS, f"host = {json.dumps(host)}\nport = {port}\n")
