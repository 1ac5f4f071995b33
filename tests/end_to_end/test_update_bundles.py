"""Bundles by the real RAUC: made, signed, looked at, and refused where they should be."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from firmware.update import grubenv, rauc
from firmware.update.bundle import main, make_bundle, manifest
from firmware.update.keys import make_keys
from firmware.update.service import Updater
from firmware.update.slots import slots
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
    found = rauc.Rauc(conf(tmp_path, bundle.parent.parent / "keys")).look(bundle)
    assert (found.compatible, found.version, found.root_bytes) == ("halsorum-vm", "0.5.1", ROOT_BYTES)
    told = json.loads(bundle.with_suffix(".json").read_text())
    assert told["size"] == str(bundle.stat().st_size)
    assert told["compatible"] == "halsorum-vm"


def test_another_key_is_not_trusted(bundle, tmp_path):
    with pytest.raises(rauc.RaucError, match="signature is not one"):
        rauc.Rauc(conf(tmp_path, tmp_path / "other")).look(bundle)


def test_a_manifest_that_was_changed_after_signing_is_not_trusted(bundle, tmp_path):
    body = bundle.read_bytes()
    changed = tmp_path / "changed.raucb"
    changed.write_bytes(body.replace(b"version=0.5.1", b"version=9.5.1"))
    assert changed.read_bytes() != body
    with pytest.raises(rauc.RaucError):
        rauc.Rauc(conf(tmp_path, bundle.parent.parent / "keys")).look(changed)


@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_half_a_bundle_is_none(bundle, tmp_path, share):
    half = tmp_path / "half.raucb"
    half.write_bytes(bundle.read_bytes()[: int(bundle.stat().st_size * share)])
    with pytest.raises(rauc.RaucError):
        rauc.Rauc(conf(tmp_path, bundle.parent.parent / "keys")).look(half)


@pytest.fixture
def bus(tmp_path, monkeypatch):
    """A D-Bus of our own, on which RAUC may have its name."""
    if os.geteuid() != 0 or not Path("/dev/loop-control").exists():
        pytest.skip("RAUC mounts a bundle by a loop device, which needs root")
    words = ["dbus-daemon", "--session", "--nofork", "--print-address"]
    daemon = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", daemon.stdout.readline().strip())
    monkeypatch.setenv("DBUS_STARTER_BUS_TYPE", "session")
    monkeypatch.setenv("PATH", f"{Path(grubenv.__file__).parent / 'bin'}:{os.environ['PATH']}")
    yield
    daemon.terminate()
    daemon.wait()


def test_root_installs_and_activates_by_the_real_rauc_and_our_grub_environment(bus, bundle, tmp_path):
    """With a plain bundle, since this machine's kernel may have no dm-verity; slots are files."""
    content = tmp_path / "content"
    content.mkdir()
    root = bundle.parent.parent / "root.ext4"
    shutil.copy(root, content / "root.ext4")
    (content / "manifest.raucm").write_text(manifest("vm", "0.5.1").replace("verity", "plain"))
    keys, plain = bundle.parent.parent / "keys", tmp_path / "bundle.raucb"
    signed = ["rauc", "bundle", f"--cert={keys / 'update.pem'}", f"--key={keys / 'update.key'}"]
    subprocess.run([*signed, str(content), str(plain)], check=True, capture_output=True)
    environment, file = tmp_path / "grubenv", conf(tmp_path, keys)
    grubenv.create(environment)
    text = (
        file.read_text().replace("/efi/grub/grubenv", str(environment)).replace("bundle-formats=-plain", "")
    )
    text = text.replace("/run/rauc", str(tmp_path / "mount")).replace("/dev/disk/by-partlabel", str(tmp_path))
    file.write_text(text)
    for slot in ("root-a", "root-b"):
        with (tmp_path / slot).open("wb") as opened:
            opened.truncate(2 * ROOT_BYTES)
    (tmp_path / "data").mkdir()
    (tmp_path / "run").mkdir()
    service = subprocess.Popen(["rauc", f"--conf={file}", "--override-boot-slot=A", "service"], cwd=tmp_path)
    try:
        told = []
        updater = Updater(
            lambda: slots(
                "rauc.slot=A",
                {"IMAGE_ID": "halsorum-vm", "IMAGE_VERSION": "0.5.0"},
                grubenv.read(environment),
            ),
            tool=rauc.Rauc(file),
            environment=environment,
            run=tmp_path / "run",
            bundle=plain,
            systemctl=lambda *words: told.append(words),
        )
        _wait_for_service()
        updater.works["install"]({"job": "0f0f-1", "version": "0.5.1"})
        updater.install()
        assert json.loads((tmp_path / "run/install.json").read_text())["state"] == "done"
        assert (tmp_path / "root-b").read_bytes()[:ROOT_BYTES] == root.read_bytes()
        assert grubenv.read(environment) == {**grubenv.FIRST, "FILLED": "B"}
        updater.works["restart"]({})
        assert told == [("reboot",)]
        assert grubenv.read(environment) == {**grubenv.FIRST, "FILLED": "B", "ORDER": "B A", "B_OK": "1"}
    finally:
        service.terminate()
        service.wait()


def _wait_for_service():
    ask = ["dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/"]
    ask += ["org.freedesktop.DBus.NameHasOwner", "string:de.pengutronix.rauc"]
    until = time.monotonic() + 60
    while "true" not in subprocess.run(ask, capture_output=True, text=True, check=False).stdout:
        assert time.monotonic() < until
        time.sleep(0.05)


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
