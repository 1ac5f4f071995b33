"""Makes a signed bundle of a root: `python -m firmware.update.bundle --board vm --root build/vm/root.ext4`.

Beside `halsorum-vm-0.5.1.raucb` a `.json` is written with what the command `update` asks for: version, compatible,
size and sha256.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from firmware.update.keys import make_keys
from firmware.update.system_conf import compatible
from firmware.update.versions import is_version

SQUASHFS = "-comp zstd -Xcompression-level 9 -no-progress"
"""Quick to read on a small processor; half a step smaller would take ten times as long to make."""


class BundleError(RuntimeError):
    """No bundle was made; the text says why."""


def manifest(board: str, version: str) -> str:
    """The bundle's manifest.raucm. Raises BundleError."""
    if not is_version(version):
        raise BundleError(f"the version {version[:40]!r} is none such as 1.2.3; give another with --version")
    return (
        f"[update]\ncompatible={compatible(board)}\nversion={version}\n\n"
        "[bundle]\nformat=verity\n\n[image.rootfs]\nfilename=root.ext4\n"
    )


def make_bundle(root: Path, board: str, version: str, out: Path, *, certificate: Path, key: Path) -> Path:
    """Sign and pack; returns the bundle. Raises BundleError."""
    text = manifest(board, version)
    if not root.is_file():
        raise BundleError(f"{root} is missing; build it with make image BOARD={board}")
    out.mkdir(parents=True, exist_ok=True)
    bundle = out / f"{compatible(board)}-{version}.raucb"
    bundle.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as folder:
        content = Path(folder)
        (content / "manifest.raucm").write_text(text)
        _put(root, content / "root.ext4")
        words = ["rauc", "bundle", f"--cert={certificate}", f"--key={key}", f"--mksquashfs-args={SQUASHFS}"]
        done = subprocess.run(
            [*words, str(content), str(bundle)], check=False, capture_output=True, text=True
        )
    if done.returncode != 0:
        raise BundleError(f"rauc bundle: {done.stderr.strip()[-400:]}")
    bundle.with_suffix(".json").write_text(json.dumps(arguments_of(bundle, board, version), indent=2) + "\n")
    return bundle


def version_in(root: Path) -> str:
    """IMAGE_VERSION of the root's os-release(5), which the unit goes by; empty where there is none."""
    words = ["debugfs", "-R", "cat /usr/lib/os-release", str(root)]
    told = subprocess.run(words, check=False, capture_output=True, text=True).stdout
    lines = (line.partition("=") for line in told.splitlines())
    return next((value.strip('"') for name, _, value in lines if name == "IMAGE_VERSION"), "")


def arguments_of(bundle: Path, board: str, version: str) -> dict[str, str]:
    """What the command `update` is given of it, but for the address."""
    with bundle.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    size = bundle.stat().st_size
    return {"version": version, "compatible": compatible(board), "size": str(size), "sha256": digest}


def _version(root: Path, wanted: str) -> str:
    version = version_in(root) or wanted
    if wanted and version != wanted:
        raise BundleError(f"the system is {version}, and not {wanted}; build it as that version")
    return version


def _put(root: Path, place: Path) -> None:
    """A link where that goes, since the file is large."""
    try:
        place.hardlink_to(root)
    except OSError:
        shutil.copyfile(root, place)


def main(words: list[str] | None = None) -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m firmware.update.bundle", description=__doc__)
    parser.add_argument("--board", required=True)
    parser.add_argument("--version", help="as the root says itself, unless it says nothing")
    parser.add_argument("--root", type=Path, required=True, help="the ext4 image of the root file system")
    parser.add_argument("--out", type=Path, default=Path("build"))
    parser.add_argument(
        "--keys", type=Path, default=Path("build/keys"), help="for development; made if missing"
    )
    parser.add_argument("--cert", help="a maker's certificate: a PEM file or a PKCS#11 address")
    parser.add_argument("--key", help="its key, likewise")
    given = parser.parse_args(words)
    if bool(given.cert) != bool(given.key):
        parser.error("--cert and --key go together")
    try:
        version = _version(given.root, given.version or "")
        certificate, key = (given.cert, given.key) if given.cert else make_keys(given.keys)
        bundle = make_bundle(given.root, given.board, version, given.out, certificate=certificate, key=key)
    except (BundleError, ValueError, OSError) as error:
        sys.stderr.write(f"No bundle was made: {error}\n")
        return 1
    sys.stdout.write(f"{bundle} ({bundle.stat().st_size / 2**20:.0f} MiB)\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
