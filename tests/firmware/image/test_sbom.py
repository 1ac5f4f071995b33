import re
from typing import Any

import pytest

from firmware.image import sbom
from firmware.image.licences import dep5_names, expression, spdx

STATUS = """Package: libfoo++1
Status: install ok installed
Architecture: amd64
Version: 1:2.0-1+b1

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 1

Package: bar
Status: install ok installed
Architecture: all
Version: 3
Description: two
 lines
"""
COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Files: *
License: GPL-2+

Files: debian/*
License: Expat or LGPL-2.1

License: Expat
 words
"""
METADATA = """Metadata-Version: 2.4
Name: Typing_Extensions
Version: 4.1
License-Expression: PSF-2.0

Long words. License: none
"""


@pytest.fixture
def told() -> dict[str, Any]:
    sums = {"libfoo++1_1:2.0-1+b1_amd64.deb": "a" * 64, "typing-extensions-4.1": "b" * 64}
    found = sbom.debian_components(STATUS, {"libfoo++1": COPYRIGHT, "bar": "Free, as in prose."}, sums)
    found += sbom.python_components([METADATA, "Name: odd\nVersion: 1\nLicense: See LICENSE\n"], sums)
    return sbom.document("vm", "0.5.0", 1_700_000_000, found, "c" * 64)


def test_what_is_installed_is_listed_with_version_and_checksum(told: dict[str, Any]) -> None:
    by_name = {each["name"]: each for each in told["packages"]}
    assert set(by_name) == {"halsorum-vm", "libfoo++1", "bar", "typing-extensions", "odd"}
    foo = by_name["libfoo++1"]
    assert foo["versionInfo"] == "1:2.0-1+b1"
    assert foo["checksums"] == [{"algorithm": "SHA256", "checksumValue": "a" * 64}]
    purl = foo["externalRefs"][0]["referenceLocator"]
    assert purl == "pkg:deb/debian/libfoo%2B%2B1@1%3A2.0-1%2Bb1?arch=amd64"
    assert by_name["typing-extensions"]["checksums"][0]["checksumValue"] == "b" * 64
    assert "checksums" not in by_name["odd"]


def test_licences_are_said_where_they_are_certain(told: dict[str, Any]) -> None:
    by_name = {each["name"]: each for each in told["packages"]}
    assert by_name["libfoo++1"]["licenseDeclared"] == "GPL-2.0-or-later AND LGPL-2.1-only AND MIT"
    assert by_name["typing-extensions"]["licenseDeclared"] == "PSF-2.0"
    assert by_name["bar"]["licenseDeclared"] == "NOASSERTION"
    assert by_name["odd"]["licenseComments"] == "See LICENSE"


def test_form_is_that_of_spdx_2_3(told: dict[str, Any]) -> None:
    """What the specification's clauses 6, 7 and 11 demand of a document."""
    assert (told["spdxVersion"], told["dataLicense"], told["SPDXID"]) == (
        "SPDX-2.3",
        "CC0-1.0",
        "SPDXRef-DOCUMENT",
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told["creationInfo"]["created"])
    assert all(re.match(r"(Person|Organization|Tool): ", each) for each in told["creationInfo"]["creators"])
    assert re.match(r"[a-z]+:[^#\s]+$", told["documentNamespace"])
    identifiers = [each["SPDXID"] for each in told["packages"]]
    assert len(set(identifiers)) == len(identifiers)
    assert all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", each) for each in identifiers)
    for package in told["packages"]:
        assert {"name", "SPDXID", "downloadLocation", "licenseDeclared", "licenseConcluded"} <= set(package)
        assert package["filesAnalyzed"] is False
        assert re.fullmatch(
            r"NOASSERTION|[A-Za-z0-9.+-]+( (AND|OR|WITH) [A-Za-z0-9.+-]+)*", package["licenseDeclared"]
        )
        assert all(
            re.fullmatch("[0-9a-f]{64}", each["checksumValue"]) for each in package.get("checksums", ())
        )
    ends = {each[end] for each in told["relationships"] for end in ("spdxElementId", "relatedSpdxElement")}
    assert ends == {*identifiers, "SPDXRef-DOCUMENT"}


def test_packages_of_like_names_have_identifiers_of_their_own() -> None:
    found = [sbom.Component("deb", name, "1", "pkg:x") for name in ("libstdc++6", "libstdc-6", "libstdc+6")]
    packages = sbom.document("vm", "1", 0, found, "")["packages"]
    assert len({each["SPDXID"] for each in packages}) == 4


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("GPL-2", "GPL-2.0-only"),
        ("GPL-3+", "GPL-3.0-or-later"),
        ("LGPL-2.1+", "LGPL-2.1-or-later"),
        ("Expat", "MIT"),
        ("BSD-3-clause", "BSD-3-Clause"),
        ("public-domain", None),
        ("GPL", None),
    ],
)
def test_debians_names_in_spdx(name: str, expected: str | None) -> None:
    assert spdx(name) == expected


def test_one_unknown_licence_makes_the_whole_uncertain() -> None:
    assert expression(["Expat", "beerware"]) == "NOASSERTION"
    assert expression([]) == "NOASSERTION"
    assert dep5_names("License: Expat, said in prose") == []
