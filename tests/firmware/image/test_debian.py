from pathlib import Path

import pytest

from firmware.image import debian
from firmware.image.recipe import load_recipe

DEB822 = """Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
"""


def test_the_archive_of_this_machine_is_used() -> None:
    expected = ("http://mirror.example/debian", "http://mirror.example/debian-security")
    assert debian.archives([DEB822]) == expected
    lines = "# deb http://no.example/debian bookworm main\n"
    lines += "deb [signed-by=/k] http://mirror.example/debian bookworm main\n"
    lines += "deb http://mirror.example/debian-security bookworm-security main\n"
    assert debian.archives([lines]) == expected


def test_another_release_or_another_archive_is_not_taken_for_debians() -> None:
    other = (
        DEB822.replace("bookworm", "trixie") + "\nTypes: deb\nURIs: https://x.example/apt\nSuites: bookworm\n"
    )
    assert debian.archives([other]) == (debian.STANDARD_MIRROR, debian.STANDARD_SECURITY)


def test_sources_name_components_and_keyring() -> None:
    text = debian.sources("http://a", "http://s", ["main", "non-free-firmware"])
    assert text.count("Components: main non-free-firmware\n") == 2
    assert text.count(f"Signed-By: {debian.KEYRING}\n") == 2
    assert "Suites: bookworm-security\n" in text


def test_packages_are_kept_until_the_recipe_changes() -> None:
    vm, x86 = load_recipe("vm"), load_recipe("x86")
    assert debian.cache_key(vm) == debian.cache_key(load_recipe("vm"))
    assert debian.cache_key(vm) != debian.cache_key(x86)


STATUS = (
    "Package: chromium\nStatus: install ok installed\nVersion: 156.0-1\n\nPackage: cage\nVersion: 0.1.4-4\n"
)


def test_a_pinned_package_in_its_version_is_let_pass() -> None:
    debian.check_pins({"chromium": "156.0-1"}, STATUS)
    debian.check_pins({}, "")


@pytest.mark.parametrize(
    ("status", "found"), [(STATUS, "156.0-1"), ("Package: cage\nVersion: 1\n", "nothing")]
)
def test_another_version_ends_the_build_with_both_and_what_to_do(status: str, found: str) -> None:
    with pytest.raises(debian.WrongVersion, match=f"chromium {found} and not 150.0-1.*DEBIAN_SNAPSHOT"):
        debian.check_pins({"chromium": "150.0-1"}, status)


def test_an_archive_of_the_past_is_taken_whatever_it_says_of_its_end() -> None:
    archive, security = debian.of_time("20261120T000000Z")
    assert security.endswith("/debian-security/20261120T000000Z")
    assert debian.sources(archive, security, ["main"]).count("Check-Valid-Until: no\n") == 2
    assert "Check-Valid" not in debian.sources(debian.STANDARD_MIRROR, debian.STANDARD_SECURITY, ["main"])
    recipe = load_recipe("x86")
    assert debian.cache_key(recipe, "20261120T000000Z") != debian.cache_key(recipe)
    with pytest.raises(ValueError, match="yesterday"):
        debian.of_time("yesterday")


def test_the_command_leaves_apt_and_documents_out() -> None:
    words = debian.mmdebstrap(load_recipe("pi4"), Path("s.sources"), Path("/debs"), Path("/out.tar"))
    assert "--variant=essential" in words
    assert "--architectures=arm64" in words
    assert "--dpkgopt=path-exclude=/usr/share/man/*" in words
    assert words[-2:] == ["/out.tar", "s.sources"]
