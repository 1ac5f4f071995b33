"""Debian's packages into a folder: which archive, and how mmdebstrap(1) is called."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from firmware.image.recipe import Recipe

RELEASE = "bookworm"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
STANDARD_MIRROR = "http://deb.debian.org/debian"
STANDARD_SECURITY = "http://deb.debian.org/debian-security"
SNAPSHOTS = "http://snapshot.debian.org/archive"
"""Debian's archives as they were at any time, by `20261120T000000Z`."""
# Left out while packages are unpacked; what a licence wants to be kept with the program (copyright) stays.
EXCLUDED = (
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/gtk-doc/*",
    "path-exclude=/usr/share/help/*",
    "path-exclude=/usr/share/lintian/*",
    "path-exclude=/usr/share/bug/*",
    "path-exclude=/usr/share/locale/*",
    "path-include=/usr/share/locale/sv/*",
    "path-include=/usr/share/locale/en*",
    "path-include=/usr/share/locale/locale.alias",
)

UNPACKING = "force-unsafe-io"
"""A build that is cut short is begun anew."""


class WrongVersion(RuntimeError):
    """The archive has another version of a package than the recipe wants."""


def archives(text_by_file: Iterable[str]) -> tuple[str, str]:
    """Debian's archive and its security archive as this machine's apt has them, else the standard ones."""
    uris = [uri for text in text_by_file for uri in _uris(text)]
    security = next(
        (uri for uri in uris if "security" in uri.rstrip("/").rsplit("/", 1)[-1]), STANDARD_SECURITY
    )
    return next((uri for uri in uris if uri.rstrip("/").endswith("/debian")), STANDARD_MIRROR), security


def of_time(when: str) -> tuple[str, str]:
    """Both archives as they were then (snapshot.debian.org). Raises ValueError for what is no time of theirs."""
    if not re.fullmatch(r"\d{8}T\d{6}Z", when):
        raise ValueError(f"DEBIAN_SNAPSHOT={when}: give a time such as 20261120T000000Z")
    return f"{SNAPSHOTS}/debian/{when}", f"{SNAPSHOTS}/debian-security/{when}"


def _uris(text: str) -> list[str]:
    """From both forms of sources.list(5), those of our release."""
    found = []
    for stanza in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^(URIs|Suites):[ \t]*(.+)$", stanza, re.MULTILINE))
        if RELEASE in fields.get("Suites", ""):
            found += fields.get("URIs", "").split()
    pattern = rf"^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+{RELEASE}\S*\s"
    return found + re.findall(pattern, text, re.MULTILINE)


def sources(archive: str, security: str, components: Sequence[str]) -> str:
    """sources.list(5) of the build, in deb822 form. The end that an archive of the past has set itself is over."""
    stanza = "Types: deb\nURIs: {}\nSuites: {}\nComponents: {}\nSigned-By: {}\n"
    if archive.startswith(SNAPSHOTS):
        stanza += "Check-Valid-Until: no\n"
    return "\n".join(
        stanza.format(uri, suites, " ".join(components), KEYRING)
        for uri, suites in ((archive, f"{RELEASE} {RELEASE}-updates"), (security, f"{RELEASE}-security"))
    )


def check_pins(pinned: Mapping[str, str], status: str) -> None:
    """dpkg's status file has each package in the version that it is pinned to; raises WrongVersion if not."""
    fields = (
        dict(re.findall(r"^(Package|Version): (.+)$", each, re.MULTILINE)) for each in status.split("\n\n")
    )
    found = {each["Package"]: each["Version"] for each in fields if len(each) == 2}
    wrong = {name: found.get(name, "nothing") for name in pinned if found.get(name) != pinned[name]}
    if wrong:
        told = ", ".join(f"{name} {found} and not {pinned[name]}" for name, found in wrong.items())
        raise WrongVersion(
            f"The archive has {told}, which this release was tried with. Try the new one (make test-long, "
            "make vm-test) and change the version in the image.toml that pins it; or build with "
            "DEBIAN_SNAPSHOT=20261120T000000Z, a time when the archive had the old one."
        )


def cache_key(recipe: Recipe, snapshot: str = "") -> str:
    """Changes with whatever the unpacked packages depend on: a snapshot, too, and not the archive of the day."""
    depends = [recipe.architecture, sorted(recipe.packages), recipe.components, EXCLUDED, UNPACKING]
    depends += [snapshot] if snapshot else []
    return hashlib.sha256(json.dumps(depends).encode()).hexdigest()[:12]


def mmdebstrap(recipe: Recipe, source_file: Path, debs: Path, tar: Path) -> list[str]:
    """The command; it makes `tar`. `debs` keeps downloaded packages from one build to the next."""
    return [
        "mmdebstrap",
        "--mode=root",
        "--variant=essential",  # no apt in the image: it is replaced whole
        f"--architectures={recipe.architecture}",
        f"--components={','.join(recipe.components)}",
        '--aptopt=APT::Install-Recommends "false"',
        '--aptopt=Acquire::Languages "none"',
        *(f"--dpkgopt={line}" for line in (*EXCLUDED, UNPACKING)),
        "--skip=download/empty",
        "--skip=essential/unlink",
        '--setup-hook=mkdir -p "$1/var/cache/apt/archives"',
        f"--setup-hook=sync-in {debs} /var/cache/apt/archives",
        f"--customize-hook=sync-out /var/cache/apt/archives {debs}",
        f"--include={','.join(recipe.packages)}",
        "--format=tar",
        RELEASE,
        str(tar),
        str(source_file),
    ]
