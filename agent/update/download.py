"""Fetches a bundle over HTTPS, in a thread: goes on where it was (RFC 9110, section 14), counted and hashed."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from agent.diagnostics.upload import CONNECT_TIMEOUT_S, authorities

if TYPE_CHECKING:
    import requests

READ_TIMEOUT_S = 60.0
CHUNK_BYTES = 256 * 1024
SPARE_BYTES = 64 * 1024 * 1024
"""Left free on the data partition, which the unit's store is on too."""
TRIES_AT_MOST = 12
"""In a row, none of which brought anything: some ten minutes."""
PAUSE_S, PAUSE_AT_MOST_S = 2.0, 60.0
POLL_S = 0.5
PART, BUNDLE = ".part", "bundle.raucb"
_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")


class DownloadError(RuntimeError):
    """It cannot be had; the text says why, without the address, which may be a secret."""


class _Broken(Exception):
    """It may go better the next time."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be had."""

    url: str
    size: int
    sha256: str


@dataclass(slots=True)
class Control:
    """Between the thread that fetches and whoever waits for it. `may_go` is cleared for a pause."""

    may_go: threading.Event = field(default_factory=threading.Event)
    stopped: threading.Event = field(default_factory=threading.Event)
    have: int = 0
    """Bytes so far."""

    def wait(self, seconds: float) -> None:
        """A pause that an end cuts short."""
        self.stopped.wait(seconds)


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom the server's certificate may be from, beside the system's authorities; and the proxy to go by."""

    ca_file: Path | None = None
    extra_ca: str = ""
    proxy: str | None = None


def refuse_url(url: str) -> None:
    """Only HTTPS, and no name and password in it. Raises DownloadError."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise DownloadError("the address is none") from None
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.password:
        raise DownloadError("the address must begin with https:// and hold no password")


def fetch(wanted: Wanted, folder: Path, trust: Trust, control: Control) -> Path:
    """Blocking. Returns the bundle, whole and as its digest says. Raises DownloadError."""
    refuse_url(wanted.url)
    try:
        return _fetch(wanted, folder, trust, control)
    except OSError as error:
        raise DownloadError(f"it could not be written: {error.strerror or type(error).__name__}") from None


def clear(folder: Path, keep: str = "") -> None:
    """Remove bundles and what was begun of them, but for what belongs to the digest `keep`."""
    for file in [*folder.glob(f"*{PART}"), folder / BUNDLE]:
        if not keep or file.name not in {f"{keep}{PART}", BUNDLE}:
            with suppress(OSError):
                file.unlink()


class _Part:
    """The file as far as it has come, counted and hashed."""

    def __init__(self, file: Path, control: Control) -> None:
        self._control = control
        self._digest = hashlib.sha256()
        control.have = 0
        self._file = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        while chunk := os.read(self._file, CHUNK_BYTES):
            self._count(chunk)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def add(self, chunk: bytes) -> None:
        view = memoryview(chunk)
        while view:
            view = view[os.write(self._file, view) :]
        self._count(chunk)

    def begin_anew(self) -> None:
        os.ftruncate(self._file, 0)
        os.lseek(self._file, 0, os.SEEK_SET)
        self._digest, self._control.have = hashlib.sha256(), 0

    def close(self) -> None:
        os.fsync(self._file)
        os.close(self._file)

    def _count(self, chunk: bytes) -> None:
        self._digest.update(chunk)
        self._control.have += len(chunk)


def _fetch(wanted: Wanted, folder: Path, trust: Trust, control: Control) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    clear(folder, keep=wanted.sha256)
    bundle, file = folder / BUNDLE, folder / f"{wanted.sha256}{PART}"
    if bundle.is_file():
        bundle.replace(file)  # whole, if it is the same one; it is looked at as any other
    part = _Part(file, control)
    try:
        if control.have > wanted.size:
            part.begin_anew()
        _refuse_without_space(folder, wanted.size - control.have)
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as trusted:
            trusted.write(authorities(trust.ca_file, trust.extra_ca))
            trusted.flush()
            _keep_trying(lambda: _once(wanted, part, trusted.name, trust.proxy, control), control)
    finally:
        part.close()
    if part.sha256 != wanted.sha256:
        file.unlink()
        raise DownloadError("what came is not that bundle: its sha256 is another")
    return file.replace(bundle)


def _refuse_without_space(folder: Path, missing: int) -> None:
    needed, free = missing + SPARE_BYTES, shutil.disk_usage(folder).free
    if free < needed:
        raise DownloadError(
            f"no space: it needs {needed // 2**20} MiB on the data partition, {free // 2**20} MiB are free"
        )


def _keep_trying(once: Callable[[], bool], control: Control) -> None:
    """Until it is whole. once() says whether it is, and raises _Broken."""
    tries, pause_s, most = 0, PAUSE_S, control.have
    while True:
        while not control.may_go.is_set() and not control.stopped.is_set():
            control.wait(POLL_S)
        if control.stopped.is_set():
            raise DownloadError("it was broken off")
        try:
            if once():
                return
        except _Broken as broken:
            # What comes a second time, since it began anew, is no progress.
            tries, pause_s = (0, PAUSE_S) if control.have > most else (tries + 1, pause_s * 2)
            most = max(most, control.have)
            if tries >= TRIES_AT_MOST:
                raise DownloadError(f"the download broke off {tries} times: {broken}") from None
            control.wait(min(pause_s, PAUSE_AT_MOST_S))


def _once(wanted: Wanted, part: _Part, trusted: str, proxy: str | None, control: Control) -> bool:
    """One request, until it ends, breaks, or is to pause."""
    import requests  # late: see agent/diagnostics/upload.py

    if control.have == wanted.size:
        return True
    with requests.Session() as session:
        session.trust_env = False  # the region's configuration says which proxy, and no .netrc speaks for us
        headers = {"Accept-Encoding": "identity"}
        if control.have:
            headers["Range"] = f"bytes={control.have}-"
        try:
            with session.get(
                wanted.url,
                headers=headers,
                timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
                verify=trusted,
                proxies={"https": proxy} if proxy else {},
                allow_redirects=False,
                stream=True,
            ) as answer:
                _refuse_answer(answer, part, control.have)
                return _take(answer, wanted, part, control)
        except requests.exceptions.SSLError:
            raise DownloadError("the server's certificate is not trusted") from None
        except requests.exceptions.RequestException as error:
            raise _Broken(f"the server was not reached or fell silent ({type(error).__name__})") from None


def _refuse_answer(answer: requests.Response, part: _Part, have: int) -> None:
    """Raises _Broken or DownloadError, unless what comes goes on from where we are."""
    status = answer.status_code
    if status >= 500 or status in {408, 429}:
        raise _Broken(f"the server answered {status}")
    if status == 200 and have:
        part.begin_anew()  # a server without ranges sends all again
    elif status == 416 and have:
        part.begin_anew()
        raise _Broken("the server has another file by that address now")
    elif status not in {200, 206}:
        raise DownloadError(f"the server answered {status}")
    elif status == 206:
        found = _RANGE.match(answer.headers.get("Content-Range", ""))
        if found is None or int(found[1]) != have:
            raise DownloadError("the server sent another part than was asked for")


def _take(answer: requests.Response, wanted: Wanted, part: _Part, control: Control) -> bool:
    for chunk in answer.iter_content(CHUNK_BYTES):
        if control.have + len(chunk) > wanted.size:
            raise DownloadError("too large: the server sends more than was said")
        part.add(chunk)
        if control.stopped.is_set() or not control.may_go.is_set():
            return control.have == wanted.size
    if control.have < wanted.size:
        raise _Broken("it ended too early")
    return True
