"""The privileged half of the unit's network: renders what the agent has laid down, and has it taken into use.

Run as root by systemd/halsorum-network.service, at boot and whenever the agent's folder changes. Everything it
writes is below /run: what it does not set again after a boot is gone, and the image's own network is in force.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from firmware.journal import start_logging
from firmware.network import IMAGES_OWN, PROVEN, RESULT, TRIAL, boot_id, digest, wanted_of
from firmware.wired import Credentials, Wired, WiredError, parse, render

log = logging.getLogger("halsorum-network")

COMMAND_WITHIN_S = 20.0
CERTIFICATE = Path("current/certificate.pem")
"""Of the identity in force (agent/identity_store.py)."""
OURS = (
    "systemd/network/*-halsorum*.*",
    "systemd/timesyncd.conf.d/halsorum.conf",
    "systemd/resolved.conf.d/halsorum.conf",
    "halsorum-network/8021x-*.conf",
)


def main(arguments: list[str] | None = None) -> int:
    """Set the network; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m firmware.network_apply", description=__doc__)
    parser.add_argument("--state", type=Path, default=Path("/var/lib/halsorum"), help="the agent's folder")
    parser.add_argument("--identity", type=Path, help="the unit's identities (STATE/identity)")
    parser.add_argument("--run", type=Path, default=Path("/run"), help="where the files go")
    given = parser.parse_args(arguments)
    start_logging("network")
    identities = given.identity or given.state / "identity"
    done: tuple[str, bytes] | None = None
    fault = ""
    # What changes meanwhile triggers nobody: it is looked at until it stays as it is.
    while (now := (what_is_wanted(given.state / "network"), _certificate(identities))) != done:
        fault = _try(now[0], identities, given.run)
        _tell(given.run / "halsorum-network" / RESULT, now[0], fault)
        done = now
    return 1 if fault else 0


def _certificate(identities: Path) -> bytes:
    with suppress(OSError):  # told of as a fault when it is to be used
        return (identities / CERTIFICATE).read_bytes()
    return b""


def _try(wanted: str, identities: Path, run: Path) -> str:
    try:
        apply(wanted, run, _credentials(identities))
    except (OSError, WiredError, subprocess.SubprocessError) as error:
        fault = str(error) or type(error).__name__
        log.error("the network could not be set: %s", fault)  # noqa: TRY400
        return fault
    return ""


def what_is_wanted(folder: Path) -> str:
    """What is on trial since this boot, else what has been proven, else the image's own."""
    tried = wanted_of(folder / TRIAL, boot=boot_id())
    return tried if tried is not None else wanted_of(folder / PROVEN) or IMAGES_OWN


def apply(wanted: str, run: Path, credentials: Credentials) -> None:
    """Write the files and have them read. Raises WiredError before anything is touched, or what commands raise."""
    wired = parse(wanted) if wanted != IMAGES_OWN else None
    files = render(wired, credentials) if wired is not None else {}
    before = {file: file.read_text() for pattern in OURS for file in run.glob(pattern)}
    after = {run / path: text for path, text in files.items()}
    if before == after and not _has_failed(run):
        return
    for file in before.keys() - after.keys():
        file.unlink()
    for file, text in after.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    gone = {file: text for file, text in before.items() if file not in after or after[file] != text}
    _take_into_use(wired, gone)


def _has_failed(run: Path) -> bool:
    """Whether the last try told of a fault: what is written then may not be in use."""
    try:
        return bool(json.loads((run / "halsorum-network" / RESULT).read_text())["fault"])
    except (OSError, ValueError, KeyError):
        return False


def _take_into_use(wired: Wired | None, gone: Mapping[Path, str]) -> None:
    """gone: files that are no more, or others now. The reload reconfigures interfaces whose file is gone."""
    _run("networkctl", "reload")
    wanted = f"8021x-{wired.interface}.conf" if wired is not None and wired.eap_tls is not None else ""
    for file, text in sorted(gone.items()):
        if file.suffix == ".netdev":  # networkd makes such interfaces, and leaves them
            name = next(line[5:] for line in text.splitlines() if line.startswith("Name="))
            if wired is None or name != f"{wired.interface}.{wired.vlan}":
                _run("networkctl", "delete", name)
        elif file.name.startswith("8021x-") and file.name != wanted:
            _run("systemctl", "stop", f"halsorum-wired@{file.stem.removeprefix('8021x-')}.service")
    if wired is not None:
        if wanted:
            _run("systemctl", "restart", f"halsorum-wired@{wired.interface}.service")
        _run("networkctl", "reconfigure", wired.interface)
    for service in ("systemd-resolved.service", "systemd-timesyncd.service"):
        _run("systemctl", "--no-block", "try-restart", service)  # nothing here waits for names or the time


def _run(*command: str) -> None:
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        timeout=COMMAND_WITHIN_S,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]
        raise OSError(f"{' '.join(command)}: {said}"[:200])


def _credentials(identities: Path) -> Credentials:
    """As systemd hands them to halsorum-wired@.service, which may not read the agent's own files."""
    certificate = identities / CERTIFICATE
    fingerprint = hashlib.sha256(certificate.read_bytes()).hexdigest() if certificate.is_file() else ""
    return Credentials(Path("certificate.pem"), Path("key.pem"), Path("ca.pem"), fingerprint)


def _tell(file: Path, wanted: str, fault: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps({"digest": digest(wanted), "fault": fault}))
    beside.chmod(0o644)
    beside.rename(file)


if __name__ == "__main__":
    sys.exit(main())
