"""A unit's bundle over real HTTPS into the region, and who is not given one."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import logging
import ssl
import subprocess
import sys
import tarfile
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from werkzeug.serving import make_server

from agent.__main__ import make_unit
from agent.config import Settings
from agent.configuring import Ledger
from agent.diagnostics import upload
from agent.diagnostics.log_ring import LogRing
from agent.diagnostics.network_path import Way
from agent.diagnostics.service import Diagnostics
from agent.diagnostics.upload import UploadError
from agent.identity import load_identity
from agent.link import Link
from agent.store import Store
from provisioning.pki import Authority
from provisioning.region import Region
from provisioning.rooms import Rooms
from provisioning.settings import BrokerSettings, RegionSettings, WebServerSettings
from tests.system.stack import Stack, free_port
from tests.system.visit import wait_until_ready

pytestmark = pytest.mark.end_to_end

CANARIES = ("811218-9876", "kanarie@region.example", "070-123 45 67", "483920")


@contextmanager
def served(app: Any, authority: Authority, port: int, host: str = "127.0.0.1") -> Iterator[None]:
    """The pages over TLS, with a certificate of this authority."""
    credentials = authority.server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(credentials.certificate_file, credentials.key_file)
    server = make_server(host, port, app, threaded=True, ssl_context=context)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.05), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "pki")


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def region(tmp_path: Path, authority: Authority, port: int) -> Iterator[Region]:
    own = authority.client("region")
    broker = BrokerSettings(
        ca_file=own.ca_file, certificate_file=own.certificate_file, key_file=own.key_file, port=free_port()
    )
    settings = RegionSettings(
        database_url=f"sqlite:///{tmp_path / 'region.db'}",
        state_dir=tmp_path / "region",
        broker=broker,
        web=WebServerSettings(public_url=f"https://localhost:{port}"),
    )
    made = Region(settings, make_link=Link)
    Rooms(made.database, made.clock).add_unit(
        "unit-1", authority.client("unit-1").certificate_file.read_bytes()
    )
    yield made
    made.stop()


@pytest.fixture
def diagnostics(tmp_path: Path, authority: Authority) -> Diagnostics:
    own = authority.client("unit-1")
    settings = Settings(
        state_dir=tmp_path / "unit",
        ca_file=own.ca_file,
        certificate_file=own.certificate_file,
        key_file=own.key_file,
    )
    identity = load_identity(own.certificate_file, own.key_file)
    unit = make_unit(settings, identity, Store(tmp_path / "unit" / "unit.db"), Ledger())
    unit.region = SimpleNamespace(up=True)  # type: ignore[assignment]
    ring = LogRing()
    for text in ("ready", *CANARIES):
        ring.handle(logging.makeLogRecord({"msg": f"said {text}", "levelno": logging.INFO, "name": "agent"}))
    way = Way("localhost", free_port(), own.ca_file)
    return Diagnostics(settings, identity, unit, ring, way=lambda: way)


def test_a_bundle_reaches_the_region_over_tls_and_holds_no_canary(
    region: Region, diagnostics: Diagnostics, authority: Authority, port: int
) -> None:
    uploads = region.fleet.uploads
    url = uploads.make("unit-1", "command-1")
    with served(region.web_app(), authority, port):
        result = asyncio.run(diagnostics.collect_and_send(url))
        with pytest.raises(UploadError, match="409"):  # once; another bundle is not taken
            asyncio.run(diagnostics.collect_and_send(url))
    kept = uploads.of_command("command-1")
    assert kept is not None
    assert (str(kept.bytes), kept.sha256) == (result["bytes"], result["digest"])
    _, data = uploads.read(kept.id, "acc-it")
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        told = {file.name: tar.extractfile(file).read().decode() for file in tar}  # type: ignore[union-attr]
    assert "said ready" in told["diagnostics/journal.txt"]
    assert not [canary for canary in CANARIES for text in told.values() if canary in text]
    assert int(result["masked"]) >= len(CANARIES)
    assert "PRIVATE KEY" not in "".join(told.values())


def test_a_server_that_no_known_authority_vouches_for_gets_nothing(
    region: Region, diagnostics: Diagnostics, tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "PAUSES_S", (0.0, 0.0))
    url = region.fleet.uploads.make("unit-1")
    with (
        served(region.web_app(), Authority(tmp_path / "stranger"), port),
        pytest.raises(UploadError, match="not trusted"),
    ):
        asyncio.run(diagnostics.collect_and_send(url))
    with pytest.raises(UploadError, match="not reached"):
        asyncio.run(diagnostics.collect_and_send(url))
    assert region.fleet.uploads.of_unit("unit-1") == []


def test_a_server_under_another_name_gets_nothing(
    region: Region, diagnostics: Diagnostics, authority: Authority, port: int
) -> None:
    url = region.fleet.uploads.make("unit-1").replace("localhost", "127.0.0.2")
    with (
        served(region.web_app(), authority, port, host="127.0.0.2"),
        pytest.raises(UploadError, match="not trusted"),
    ):
        asyncio.run(diagnostics.collect_and_send(url))
    assert region.fleet.uploads.of_unit("unit-1") == []


def test_it_asks_a_unit_and_saves_what_comes(own_stack: Stack, tmp_path: Path) -> None:
    """Region, broker and unit as `make run` starts them, and the command line."""
    wait_until_ready(own_stack)
    file, settings = tmp_path / "unit.tar.gz", own_stack.state / "region" / "region.toml"
    command = ["-m", "agent.console", "--json", "--settings", str(settings), "diagnostics"]
    done = subprocess.run(
        [sys.executable, *command, "unit-1", "--output", str(file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    data = file.read_bytes()
    assert said["sha256"] == hashlib.sha256(data).hexdigest()
    assert file.stat().st_mode & 0o077 == 0
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        told = {entry.name: tar.extractfile(entry).read().decode() for entry in tar}  # type: ignore[union-attr]
    network = json.loads(told["diagnostics/network.json"])
    assert network["broker"]["tls"].startswith("TLS")
    assert network["broker"]["days_left"] > 0
    assert json.loads(told["diagnostics/unit.json"])["broker_connected"] is True
    whole = "\n".join(told.values())
    for secret in ("$argon2id", "PRIVATE KEY", own_stack.access["pin"]):
        assert secret not in whole
    with urllib.request.urlopen(
        f"http://127.0.0.1:{own_stack.ports['region']}/metrics", timeout=10
    ) as answer:
        assert b"halsorum_region_broker_up 1.0" in answer.read()
