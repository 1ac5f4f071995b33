"""Licence names of Debian's copyright files as SPDX expressions, where that is certain."""

from __future__ import annotations

import re

# Machine-readable debian/copyright (DEP-5) short names → SPDX 2.3, annex A. Any other name stays a comment.
_SPDX = {
    "apache-2": "Apache-2.0",
    "apache-2.0": "Apache-2.0",
    "artistic": "Artistic-1.0-Perl",
    "artistic-2.0": "Artistic-2.0",
    "bsd-2-clause": "BSD-2-Clause",
    "bsd-3-clause": "BSD-3-Clause",
    "bsl-1.0": "BSL-1.0",
    "cc0-1.0": "CC0-1.0",
    "expat": "MIT",
    "ftl": "FTL",
    "isc": "ISC",
    "mit": "MIT",
    "mpl-1.1": "MPL-1.1",
    "mpl-2.0": "MPL-2.0",
    "openssl": "OpenSSL",
    "psf-2": "PSF-2.0",
    "python-2.0": "Python-2.0",
    "unlicense": "Unlicense",
    "zlib": "Zlib",
}
_GNU = re.compile(r"(a?gpl|lgpl|gfdl)-?(?:v)?(\d(?:\.\d)?)(\+?)")
_HEADER = re.compile(r"^Format:\s*\S*copyright-format", re.MULTILINE)
_LINE = re.compile(r"^License:[ \t]*(.+)$", re.MULTILINE)


def dep5_names(copyright_file: str) -> list[str]:
    """The short names in a machine-readable copyright file, sorted; none in one that is prose."""
    if not _HEADER.search(copyright_file):
        return []
    words = (
        re.split(r"\s+(?:and|or|AND|OR)\s+|,\s*", line.strip()) for line in _LINE.findall(copyright_file)
    )
    return sorted({word.strip() for line in words for word in line if word.strip()})


def spdx(name: str) -> str | None:
    """One short name in SPDX's words, or None where it is not certain what is meant."""
    plain = name.strip().lower()
    gnu = _GNU.fullmatch(plain)
    if gnu:
        version = gnu[2] if "." in gnu[2] else f"{gnu[2]}.0"
        return f"{gnu[1].upper()}-{version}-{'or-later' if gnu[3] else 'only'}"
    return _SPDX.get(plain)


def expression(names: list[str]) -> str:
    """All licences that a package's parts are under, or NOASSERTION if one of them cannot be said."""
    known = [spdx(name) for name in names]
    if not known or None in known:
        return "NOASSERTION"
    return " AND ".join(sorted({each for each in known if each is not None}))
