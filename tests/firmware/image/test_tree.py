import os
from pathlib import Path, PurePosixPath

import pytest

from agent.config import load_settings
from firmware.image import tree
from firmware.image.compare import differences, fingerprint
from firmware.image.sizes import OTHER, by_part, file_sizes


def test_units_presets_and_users_find_their_places(tmp_path: Path) -> None:
    for name in (
        "a.service",
        "b.path",
        "c.timer",
        "90-x.preset",
        "sysusers.conf",
        "tmpfiles.conf",
        "README.md",
        "s.rules",
    ):
        (tmp_path / name).touch()
    (tmp_path / "rauc.service.d").mkdir()
    places = {str(place): file.name for place, file in tree.unit_places(tmp_path).items()}
    assert places == {
        "/usr/lib/systemd/system/a.service": "a.service",
        "/usr/lib/systemd/system/b.path": "b.path",
        "/usr/lib/systemd/system/c.timer": "c.timer",
        "/usr/lib/systemd/system/rauc.service.d": "rauc.service.d",
        "/usr/lib/systemd/system-preset/90-x.preset": "90-x.preset",
        "/usr/lib/sysusers.d/halsorum.conf": "sysusers.conf",
        "/usr/lib/tmpfiles.d/halsorum.conf": "tmpfiles.conf",
        "/usr/lib/udev/rules.d/s.rules": "s.rules",
    }


def test_what_is_laid_over_replaces_what_was_there(tmp_path: Path) -> None:
    root, overlay, file = tmp_path / "root", tmp_path / "overlay", tmp_path / "policy.json"
    (overlay / "etc").mkdir(parents=True)
    (overlay / "etc/masked.service").symlink_to("/dev/null")
    (overlay / "etc/start").write_text("#!/bin/sh\n")
    (overlay / "etc/start").chmod(0o700)
    (overlay / "etc/secret").write_text("2")
    (overlay / "etc/secret").chmod(0o640)
    (root / "etc").mkdir(parents=True)
    (root / "etc/secret").write_text("1")
    file.write_text("{}")
    tree.lay(root, [overlay], {PurePosixPath("/etc/deep/policy.json"): file})
    assert (root / "etc/secret").read_text() == "2"
    assert str((root / "etc/masked.service").readlink()) == "/dev/null"
    modes = {
        name: (root / "etc" / name).stat().st_mode & 0o777 for name in ("start", "secret", "deep/policy.json")
    }
    assert modes == {"start": 0o755, "secret": 0o644, "deep/policy.json": 0o644}


def test_programs_run_from_the_venv_without_caches_or_documents(tmp_path: Path) -> None:
    source, root = tmp_path / "tree", tmp_path / "root"
    for name in tree.PROGRAMS:
        (source / name / "__pycache__").mkdir(parents=True)
        (source / name / "__init__.py").touch()
        (source / name / "__pycache__/x.pyc").touch()
        (source / name / "README.md").touch()
    (root / "usr/lib/python3/dist-packages/systemd").mkdir(parents=True)
    tree.programs(source, root)
    app, venv = root / "opt/halsorum/app", root / "opt/halsorum/venv"
    assert sorted(path.name for path in (app / "agent").iterdir()) == ["__init__.py"]
    assert str((venv / "bin/python").readlink()) == "/usr/bin/python3"
    site = venv / "lib/python3.11/site-packages"
    assert (site / "halsorum.pth").read_text() == "/opt/halsorum/app\n"
    assert str((site / "systemd").readlink()) == "/usr/lib/python3/dist-packages/systemd"
    assert not (site / "gpiod").is_symlink()
    assert (root / "usr/bin/halsorum").stat().st_mode & 0o111


def test_the_image_says_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "usr/lib").mkdir(parents=True)
    (tmp_path / "etc").mkdir()
    (tmp_path / "usr/lib/os-release").write_text('PRETTY_NAME="Debian"\nID=debian\n')
    tree.settings(tmp_path, "vm", "0.5.0")
    lines = (tmp_path / "usr/lib/os-release").read_text().splitlines()
    assert lines == [
        "ID=debian",
        'PRETTY_NAME="Hälsorum 0.5.0 (vm)"',
        "IMAGE_ID=halsorum-vm",
        "IMAGE_VERSION=0.5.0",
    ]
    assert 'board = "vm"' in (tmp_path / "etc/halsorum/unit.toml").read_text()
    assert load_settings(tmp_path / "etc/halsorum/unit.toml").test_within_s == 120
    assert (tmp_path / "etc/machine-id").read_text() == ""


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("one", "other"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "same").write_text("x")
        (folder / "link").symlink_to("same")
        os.utime(folder / "same", (1, 1))
        os.utime(folder / "link", (1, 1), follow_symlinks=False)
    return tmp_path / "one", tmp_path / "other"


def test_two_builds_that_are_the_same(two: tuple[Path, Path]) -> None:
    assert differences(*map(fingerprint, two)) == []


def test_each_difference_is_named(two: tuple[Path, Path]) -> None:
    one, other = two
    (other / "more").touch()
    (other / "same").write_text("y")
    (other / "same").chmod(0o600)
    os.utime(other / "same", (1, 1))
    assert differences(fingerprint(one), fingerprint(other)) == [
        "more: only in the second",
        "same: mode, content",
    ]


def test_sizes_count_each_file_in_one_part(tmp_path: Path) -> None:
    found = {"usr/lib/chromium/chromium": 100, "usr/lib/libc.so": 10, "boot/vmlinuz": 5, "etc/passwd": 1}
    assert by_part(found) == {
        "Chromium": 100,
        "other libraries": 10,
        "kernel and initial RAM disk": 5,
        OTHER: 1,
    }
    (tmp_path / "a").write_bytes(b"123")
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    assert sum(file_sizes(tmp_path).values()) == 3
