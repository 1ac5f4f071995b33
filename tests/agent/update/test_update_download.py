"""A bundle's way onto the disk, from a real HTTPS server on this machine that breaks as it is told."""

from __future__ import annotations

import hashlib
import shutil
import threading
import time

import pytest

from agent.update import download as downloads
from agent.update.download import (
    BUNDLE,
    Control,
    DownloadError,
    Trust,
    Wanted,
    clear,
    fetch,
    refuse_url,
)
from tests.agent.certificates import TestAuthority, key_of, key_pem
from tests.agent.update.bundle_server import BundleServer

BODY = bytes(range(256)) * 12_000
SHA256 = hashlib.sha256(BODY).hexdigest()


class Hurried(Control):
    """Waits for nothing."""

    def wait(self, _seconds):
        time.sleep(0)


@pytest.fixture(scope="module")
def shop_of_bundles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    authority = TestAuthority()
    (folder / "ca.pem").write_bytes(authority.pem)
    (folder / "key.pem").write_bytes(key_pem(key_of("server")))
    (folder / "cert.pem").write_bytes(authority.certificate("server", key_of("server").public_key()))
    server = BundleServer(folder / "cert.pem", folder / "key.pem")
    server.trust = Trust(folder / "ca.pem")
    yield server
    server.stop()


@pytest.fixture
def server(shop_of_bundles):
    shop_of_bundles.files = {"/b": BODY}
    shop_of_bundles.asked, shop_of_bundles.breaks, shop_of_bundles.statuses = [], [], []
    shop_of_bundles.ranges = True
    return shop_of_bundles


@pytest.fixture
def get(server, tmp_path):
    def get(size=len(BODY), sha256=SHA256, path="/b", control=None, trust=server.trust):
        control = control or Hurried()
        control.may_go.set()
        return fetch(Wanted(server.url(path), size, sha256), tmp_path / "update", trust, control)

    get.folder = tmp_path / "update"
    return get


def test_it_comes_whole_and_alone(get):
    get.folder.mkdir()
    (get.folder / f"{'9' * 64}.part").write_bytes(b"of another one")
    assert get().read_bytes() == BODY
    assert [file.name for file in get.folder.iterdir()] == [BUNDLE]


def test_a_line_that_breaks_goes_on_where_it_was(get, server):
    server.breaks = [1_000_000, 0, 700_000]
    assert get().read_bytes() == BODY
    assert server.asked[0] == ""
    assert all(asked.startswith("bytes=") for asked in server.asked[1:])
    assert len(server.asked) == 4


def test_what_an_earlier_start_has_fetched_is_not_fetched_again(get, server):
    get.folder.mkdir()
    (get.folder / f"{SHA256}.part").write_bytes(BODY[:2_000_000])
    assert get().read_bytes() == BODY
    assert server.asked == ["bytes=2000000-"]
    get()
    assert len(server.asked) == 1  # it was all there


def test_a_server_without_ranges_sends_all_again(get, server):
    server.ranges, server.breaks = False, [1_000_000]
    assert get().read_bytes() == BODY


def test_a_server_that_is_busy_is_asked_again(get, server):
    server.statuses = [503, 429, 500]
    assert get().read_bytes() == BODY


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"size": len(BODY) - 1}, "too large"),
        ({"sha256": "0f" * 32}, "its sha256 is another"),
        ({"path": "/none"}, "answered 404"),
        ({"trust": Trust()}, "certificate is not trusted"),
    ],
)
def test_what_is_not_the_bundle_is_refused_and_nothing_of_it_is_taken_for_it(get, more, why):
    with pytest.raises(DownloadError, match=why):
        get(**more)
    assert not (get.folder / BUNDLE).exists()


def test_a_server_that_ends_too_early_for_ever_is_given_up(get, monkeypatch):
    monkeypatch.setattr(downloads, "TRIES_AT_MOST", 3)
    with pytest.raises(DownloadError, match="broke off 3 times"):
        get(size=len(BODY) + 1)


def test_a_redirect_is_not_followed(get, server):
    server.statuses = [302]
    with pytest.raises(DownloadError, match="answered 302"):
        get()


def test_without_space_nothing_is_begun(get, server, monkeypatch):
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(downloads.shutil, "disk_usage", lambda _folder: usage._replace(free=len(BODY)))
    with pytest.raises(DownloadError, match="no space"):
        get()
    assert server.asked == []


def test_a_pause_holds_it_and_an_end_ends_it(get, server):
    control = Control()
    failed = []

    def run():
        try:
            fetch(Wanted(server.url("/b"), len(BODY), SHA256), get.folder, server.trust, control)
        except DownloadError as error:
            failed.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    control.stopped.set()
    thread.join(5)
    assert failed == ["it was broken off"]
    assert server.asked == []


@pytest.mark.parametrize(
    "url",
    ["http://a/b", "file:///etc/shadow", "https://", "https://u:p@a/b", "https://a:x/b", "ftp://a/b", ""],
)
def test_only_https_is_asked(url):
    with pytest.raises(DownloadError):
        refuse_url(url)


def test_clearing_leaves_what_goes_on(tmp_path):
    for name in (f"{'a' * 64}.part", f"{'b' * 64}.part", BUNDLE):
        (tmp_path / name).touch()
    clear(tmp_path, keep="a" * 64)
    assert sorted(file.name for file in tmp_path.iterdir()) == [f"{'a' * 64}.part", BUNDLE]
    clear(tmp_path)
    assert list(tmp_path.iterdir()) == []
