import hashlib
from pathlib import Path

import pytest

from firmware.image import wheels

CONTENT = b"a wheel"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
LOCK = f"""psycopg-binary==3.2 ; implementation_name != 'pypy' \\
    --hash=sha256:{"0" * 64} \\
    --hash=sha256:{SHA256}
numpy==2.4 ; python_full_version < '3.12' \\
    --hash=sha256:{"1" * 64}
"""


def test_lock_is_read_with_markers_and_hashes() -> None:
    entries = wheels.locked(LOCK)
    assert set(entries) == {
        "psycopg-binary==3.2 ; implementation_name != 'pypy'",
        "numpy==2.4 ; python_full_version < '3.12'",
    }
    assert entries["numpy==2.4 ; python_full_version < '3.12'"] == ("numpy", frozenset({"1" * 64}))


def test_the_real_lock_names_what_the_image_wants() -> None:
    repository = Path(__file__).parents[3]
    entries = wheels.locked((repository / ".ci/requirements.lock").read_text())
    names = {name for name, _ in entries.values()}
    wanted = wheels.wanted((repository / "pyproject.toml").read_text())
    assert {"aiortc", "flask", "paho-mqtt"} <= names
    assert all(hashes for _, hashes in entries.values())
    assert any(each.startswith("aiortc") for each in wanted)
    assert not any(each.startswith(("systemd-python", "pytest")) for each in wanted)


def test_wheels_for_debian_12() -> None:
    tags = wheels.platforms("arm64")
    assert "manylinux_2_36_aarch64" in tags
    assert "manylinux2014_aarch64" in tags
    assert not any("2_37" in tag or "x86" in tag or "musl" in tag for tag in tags)
    assert "--only-binary=:all:" in wheels.for_target("amd64")


def test_a_wheel_that_the_lock_does_not_name_is_refused(tmp_path: Path) -> None:
    good = tmp_path / "psycopg_binary-3.2-cp311-cp311-manylinux.whl"
    good.write_bytes(CONTENT)
    wheels.check([good], wheels.locked(LOCK))
    for name in ("numpy-2.4-cp311-cp311-x.whl", "other-1-py3-none-any.whl"):
        (tmp_path / name).write_bytes(CONTENT)
        with pytest.raises(wheels.WheelError, match=name):
            wheels.check([tmp_path / name], wheels.locked(LOCK))


def test_wheels_are_installed_by_name_from_their_folder_alone(tmp_path: Path) -> None:
    words = wheels.pip_install(
        "amd64", tmp_path, Path("/root/site"), [tmp_path / "psycopg_binary-3.2-cp311-x-y.whl"]
    )
    assert words[-1] == "psycopg_binary==3.2"
    assert {"--no-index", "--no-deps", f"--find-links={tmp_path}", "--target=/root/site"} <= set(words)


def test_names_of_wheels() -> None:
    assert wheels.name_version("psycopg_binary-3.2-cp311-cp311-x.whl") == "psycopg-binary-3.2"
