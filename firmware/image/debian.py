"""Debian's packages into a folder: which archive, and how mmdebstrap(1) is called."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from firmware.image.recipe import Recipe

RELEASE = "bookworm"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
STANDARD_MIRROR = "http://deb.debian.org/debian"
STANDARD_SECURITY = "http://deb.debian.org/debian-security"
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


def archives(text_by_file: Iterable[str]) -> tuple[str, str]:
    """Debian's archive and its security archive as this machine's apt has them, else the standard ones."""
    uris = [uri for text in text_by_file for uri in _uris(text)]
    security = next(
        (uri for uri in uris if "security" in uri.rstrip("/").rsplit("/", 1)[-1]), STANDARD_SECURITY
    )
    return next((uri for uri in uris if uri.rstrip("/").endswith("/debian")), STANDARD_MIRROR), security


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
    """sources.list(5) of the build, in deb822 form."""
    stanza = "Types: deb\nURIs: {}\nSuites: {}\nComponents: {}\nSigned-By: {}\n"
    return "\n".join(
        stanza.format(uri, suites, " ".join(components), KEYRING)
        for uri, suites in ((archive, f"{RELEASE} {RELEASE}-updates"), (security, f"{RELEASE}-security"))
    )


def cache_key(recipe: Recipe) -> str:
    """Changes with whatever the unpacked packages depend on; the day's archive is not part of it."""
    depends = [recipe.architecture, sorted(recipe.packages), recipe.components, EXCLUDED, UNPACKING]
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
