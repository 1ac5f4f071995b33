"""The private certificate authority."""

from __future__ import annotations

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provisioning import pki
from provisioning.pki import Authority, PkiError


def test_asking_again_gives_the_same_certificate(tmp_path: Path) -> None:
    first = Authority(tmp_path).client("unit-1", tmp_path / "unit")
    assert Authority(tmp_path).client("unit-1", tmp_path / "unit") == first
    assert first.not_after > datetime.now(UTC) + timedelta(days=300)


def test_one_that_is_near_its_end_is_renewed_with_its_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    first = authority.client("unit-1")
    key = first.key_file.read_bytes()
    monkeypatch.setattr(pki, "RENEW_WHEN_LEFT", 1.1)
    second = authority.client("unit-1")
    assert second.sha256 != first.sha256
    assert second.key_file.read_bytes() == key


def test_a_new_authority_and_a_new_host_name_make_a_new_certificate(tmp_path: Path) -> None:
    first = Authority(tmp_path / "one").server(folder=tmp_path / "broker")
    second = Authority(tmp_path / "two").server(folder=tmp_path / "broker")
    third = Authority(tmp_path / "two").server(["broker.example"], folder=tmp_path / "broker")
    fourth = Authority(tmp_path / "two").server(["broker.example"], folder=tmp_path / "broker")
    assert len({first.sha256, second.sha256, third.sha256}) == 3
    assert fourth == third


def test_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    Authority(tmp_path).client("unit-1")
    for file in tmp_path.glob("*.key"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(list(tmp_path.glob("*.key"))) == 2


def test_openssl_accepts_both_ends_in_strict_mode(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    server, client = authority.server(), authority.client("unit-1")
    ends = []
    for side, own in ((ssl.PROTOCOL_TLS_SERVER, server), (ssl.PROTOCOL_TLS_CLIENT, client)):
        context = ssl.SSLContext(side)
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        context.load_verify_locations(own.ca_file)
        context.load_cert_chain(own.certificate_file, own.key_file)
        ends.append(context)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    serving = ends[0].wrap_bio(to_server, to_client, server_side=True)
    calling = ends[1].wrap_bio(to_client, to_server, server_hostname="127.0.0.1")
    for _ in range(4):
        for end in (calling, serving):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    peer = serving.getpeercert()
    assert peer is not None
    assert peer["subject"] == ((("commonName", "unit-1"),),)


def test_a_key_that_is_not_the_authoritys_is_told(tmp_path: Path) -> None:
    Authority(tmp_path / "one")
    Authority(tmp_path / "two")
    (tmp_path / "two" / "ca.key").replace(tmp_path / "one" / "ca.key")
    with pytest.raises(PkiError, match="do not belong together"):
        Authority(tmp_path / "one")
