"""What an image contains, as SPDX 2.3 in JSON (ISO/IEC 5962:2021): Debian's packages, Python's, and our own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.parser import HeaderParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

from firmware.image.layout import fixed_uuid
from firmware.image.licences import dep5_names, expression

NONE_SAID = "NOASSERTION"
DOCUMENT = "SPDXRef-DOCUMENT"
IMAGE = "SPDXRef-Package-image"
_OWN = "GPL-3.0-or-later"
_ID_FORBIDDEN = re.compile(r"[^A-Za-z0-9.-]")
_SPDX_LIKE = re.compile(r"[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) [A-Za-z0-9.+-]+)*")


@dataclass(frozen=True, slots=True)
class Component:
    """One package. `purl` is its package URL (ECMA-427)."""

    kind: str
    name: str
    version: str
    purl: str
    licence: str = NONE_SAID
    licence_comment: str = ""
    supplier: str = ""
    sha256: str = ""
    """Of the .deb or the wheel that was unpacked."""


def debian_components(
    status: str, copyrights: Mapping[str, str], checksums: Mapping[str, str]
) -> list[Component]:
    """From dpkg's status file. `copyrights`: by package; `checksums`: by `name_version_architecture.deb`."""
    found = []
    for stanza in status.split("\n\n"):
        fields = HeaderParser().parsestr(stanza)
        if fields["Status"] != "install ok installed":
            continue
        name, version, architecture = fields["Package"], fields["Version"], fields["Architecture"]
        names = dep5_names(copyrights.get(name, ""))
        licence = expression(names)
        found.append(
            Component(
                kind="deb",
                name=name,
                version=version,
                purl=f"pkg:deb/debian/{quote(name)}@{quote(version, safe='')}?arch={architecture}",
                licence=licence,
                licence_comment=f"debian/copyright names: {', '.join(names)}"
                if names and licence == NONE_SAID
                else "",
                supplier="Organization: Debian",
                sha256=checksums.get(f"{name}_{version}_{architecture}.deb", ""),
            )
        )
    return sorted(found, key=lambda each: each.name)


def python_components(metadata: Iterable[str], checksums: Mapping[str, str]) -> list[Component]:
    """From the METADATA of installed packages (core metadata 2.4). `checksums`: by `name-version`, normalised."""
    found = []
    for text in metadata:
        fields = HeaderParser().parsestr(text)
        name, version = re.sub(r"[-_.]+", "-", fields["Name"]).lower(), fields["Version"]
        said = fields["License-Expression"] or fields["License"] or ""
        certain = said if _SPDX_LIKE.fullmatch(said) and fields["License-Expression"] else expression([said])
        comment = " ".join(said.split())[:200] if certain == NONE_SAID else ""
        sha256 = checksums.get(f"{name}-{version}", "")
        found.append(
            Component("pypi", name, version, f"pkg:pypi/{name}@{version}", certain, comment, "", sha256)
        )
    return sorted(found, key=lambda each: each.name)


def document(
    board: str, version: str, epoch_s: int, components: Iterable[Component], image_sha256: str
) -> dict[str, Any]:
    """The whole document. The same image gives the same document."""
    own = Component(
        "image",
        f"halsorum-{board}",
        version,
        f"pkg:generic/halsorum-{board}@{version}",
        _OWN,
        sha256=image_sha256,
    )
    packages = [_package(own) | {"SPDXID": IMAGE, "primaryPackagePurpose": "OPERATING-SYSTEM"}]
    packages += [_package(each) for each in components]
    created = datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    contained = [_relation(IMAGE, "CONTAINS", each["SPDXID"]) for each in packages[1:]]
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": DOCUMENT,
        "name": f"halsorum-{board}-{version}",
        "documentNamespace": f"urn:uuid:{fixed_uuid(board, version, image_sha256)}",
        "creationInfo": {
            "created": created,
            "creators": ["Organization: Hälsorum", f"Tool: halsorum-image-{version}"],
        },
        "packages": packages,
        "relationships": [_relation(DOCUMENT, "DESCRIBES", IMAGE), *contained],
    }


def _relation(one: str, relation: str, other: str) -> dict[str, str]:
    return {"spdxElementId": one, "relationshipType": relation, "relatedSpdxElement": other}


def _in_hexadecimal(found: re.Match[str]) -> str:
    return f".x{ord(found[0]):02x}"


def _package(each: Component) -> dict[str, Any]:
    package: dict[str, Any] = {
        "SPDXID": f"SPDXRef-Package-{each.kind}-{_ID_FORBIDDEN.sub(_in_hexadecimal, each.name)}",
        "name": each.name,
        "versionInfo": each.version,
        "downloadLocation": NONE_SAID,
        "filesAnalyzed": False,
        "licenseConcluded": NONE_SAID,
        "licenseDeclared": each.licence,
        "copyrightText": NONE_SAID,
        "externalRefs": [
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": each.purl}
        ],
    }
    if each.licence_comment:
        package["licenseComments"] = each.licence_comment
    if each.supplier:
        package["supplier"] = each.supplier
    if each.sha256:
        package["checksums"] = [{"algorithm": "SHA256", "checksumValue": each.sha256}]
    return package


def sha256_of(file: Path) -> str:
    """Of a file, read in pieces."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
