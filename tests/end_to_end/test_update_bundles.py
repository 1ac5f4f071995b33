"""Bundles by the real RAUC: made, signed, looked at, and refused where they should be."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from firmware.update import rauc
from firmware.update.bundle import main, make_bundle
from firmware.update.keys import make_keys
from firmware.update.system_conf import system_conf

pytestmark = pytest.mark.end_to_end
ROOT_BYTES = 2 * 1024 * 1024


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    (folder / "root.ext4").write_bytes(os.urandom(ROOT_BYTES))
    certificate, key = make_keys(folder / "keys")
    return make_bundle(folder / "root.ext4", "vm", "0.5.1", folder / "out", certificate=certificate, key=key)


def conf(folder, keys):
    """RAUC's configuration with a keyring of these keys."""
    text = system_conf("vm").replace("/etc/rauc/keyring.pem", str(make_keys(keys)[0]))
    file = folder / "system.conf"
    file.write_text(text.replace("/data/rauc", str(folder / "data")))
    return file


def test_a_bundle_says_what_it_is_to_whoever_trusts_its_key(bundle, tmp_path):
    found = rauc.look(bundle, conf(tmp_path, bundle.parent.parent / "keys"))
    assert (found.compatible, found.version, found.root_bytes) == ("halsorum-vm", "0.5.1", ROOT_BYTES)
    told = json.loads(bundle.with_suffix(".json").read_text())
    assert told["size"] == str(bundle.stat().st_size)
    assert told["compatible"] == "halsorum-vm"


def test_another_key_is_not_trusted(bundle, tmp_path):
    with pytest.raises(rauc.RaucError, match="signature is not one"):
        rauc.look(bundle, conf(tmp_path, tmp_path / "other"))


def test_a_manifest_that_was_changed_after_signing_is_not_trusted(bundle, tmp_path):
    body = bundle.read_bytes()
    changed = tmp_path / "changed.raucb"
    changed.write_bytes(body.replace(b"version=0.5.1", b"version=9.5.1"))
    assert changed.read_bytes() != body
    with pytest.raises(rauc.RaucError):
        rauc.look(changed, conf(tmp_path, bundle.parent.parent / "keys"))


@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_half_a_bundle_is_none(bundle, tmp_path, share):
    half = tmp_path / "half.raucb"
    half.write_bytes(bundle.read_bytes()[: int(bundle.stat().st_size * share)])
    with pytest.raises(rauc.RaucError):
        rauc.look(half, conf(tmp_path, bundle.parent.parent / "keys"))


def test_the_maker_says_what_is_missing(tmp_path, capsys):
    words = [
        "--board",
        "vm",
        "--version",
        "0.5.1",
        "--root",
        str(tmp_path / "none"),
        "--keys",
        str(tmp_path / "k"),
    ]
    assert main([*words, "--out", str(tmp_path)]) == 1
    assert "make image BOARD=vm" in capsys.readouterr().err


def test_a_root_that_says_another_version_is_not_sold_as_this_one(tmp_path, capsys):
    (tmp_path / "root/usr/lib").mkdir(parents=True)
    (tmp_path / "root/usr/lib/os-release").write_text("ID=debian\nIMAGE_VERSION=0.5.0\n")
    (tmp_path / "root/program").write_bytes(os.urandom(200_000))
    image = str(tmp_path / "root.ext4")
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", str(tmp_path / "root"), image, "4M"], check=True)
    words = ["--board", "vm", "--root", image, "--keys", str(tmp_path / "keys"), "--out", str(tmp_path)]
    assert main([*words, "--version", "0.5.1"]) == 1
    assert "is 0.5.0, and not 0.5.1" in capsys.readouterr().err
    assert main(words) == 0
    assert (tmp_path / "halsorum-vm-0.5.0.raucb").is_file()
