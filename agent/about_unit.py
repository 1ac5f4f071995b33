"""What the unit says of its machine in `up/info`: serial number, clock, operating system."""

from __future__ import annotations

import functools
import platform

from agent.clock_state import ClockState
from agent.contract.status import Info
from agent.identity_store import Held, IdentityError, IdentityStore

SYSTEM_CHARACTERS = 120


def about(clock: ClockState, identities: IdentityStore | None, info: Info) -> Info:
    """The same with what these know."""
    bootstrap = _bootstrap(identities)
    known = {
        "clock": info.clock or clock.report(),
        "system": system_name(),
        "serial": bootstrap.identity.unit if bootstrap is not None else "",
        "bootstrap_sha256": bootstrap.identity.certificate_sha256 if bootstrap is not None else None,
    }
    return info.model_copy(update=known)


def _bootstrap(identities: IdentityStore | None) -> Held | None:
    try:
        return identities.bootstrap() if identities is not None else None
    except IdentityError:
        return None  # told in the log at the start; the unit works without


@functools.cache
def system_name() -> str:
    """`Debian GNU/Linux 12 (bookworm), Linux 6.1.0-18-arm64`."""
    try:
        name = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        name = ""
    kernel = f"{platform.system()} {platform.release()}"
    return f"{name}, {kernel}"[:SYSTEM_CHARACTERS] if name else kernel[:SYSTEM_CHARACTERS]
