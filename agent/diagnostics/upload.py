"""Puts a bundle where the region said, by HTTPS PUT (RFC 9110, section 9.3.4); blocking, for a thread."""

from __future__ import annotations

import base64
import ipaddress
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

CONNECT_TIMEOUT_S = 10.0
SEND_TIMEOUT_S = 60.0
PAUSES_S = (2.0, 8.0)
"""Between the attempts."""


class UploadError(RuntimeError):
    """The bundle was not taken; the text says why, without the address, which is a secret."""


def refuse_address(url: str) -> None:
    """Only HTTPS, or HTTP within this machine; raises UploadError."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        raise UploadError("the address is none") from None
    if parts.username or parts.password or not host:
        raise UploadError("the address is none that a bundle is sent to")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise UploadError("the address must begin with https://")


def put(
    url: str,
    data: bytes,
    sha256: bytes,
    *,
    ca_file: Path | None = None,
    extra_ca: str = "",
    proxy: str | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Send, and try again where that may help. Raises UploadError."""
    refuse_address(url)
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as trusted:
        trusted.write(authorities(ca_file, extra_ca))
        trusted.flush()
        for pause_s in (*PAUSES_S, None):
            reason, final = _once(url, data, sha256, trusted.name, proxy)
            if not reason:
                return
            if final or pause_s is None:
                raise UploadError(reason)
            sleep(pause_s)


def _once(url: str, data: bytes, sha256: bytes, trusted: str, proxy: str | None) -> tuple[str, bool]:
    """What went wrong, empty if nothing; and whether it would again."""
    import requests  # late: a twentieth of the agent's start, for what is asked for once a month

    digest = base64.b64encode(sha256).decode()
    with requests.Session() as session:
        session.trust_env = False  # the region's configuration says which proxy, and no .netrc speaks for us
        # Only what was asked for: a redirect could lead the bundle anywhere.
        try:
            answer = session.put(
                url,
                data=data,
                headers={
                    "Content-Type": "application/gzip",
                    "Content-Digest": f"sha-256=:{digest}:",  # RFC 9530, section 2
                },
                timeout=(CONNECT_TIMEOUT_S, SEND_TIMEOUT_S),
                verify=trusted,
                proxies={"https": proxy} if proxy else {},
                allow_redirects=False,
                stream=True,
            )
        except requests.exceptions.SSLError:
            return "the server's certificate is not trusted", True
        except requests.exceptions.Timeout:
            return "the server did not answer in time", False
        except (requests.exceptions.RequestException, OSError) as error:
            return f"the server was not reached ({type(error).__name__})", False
        if answer.status_code in range(200, 300):
            return "", True
        busy = answer.status_code >= 500 or answer.status_code == 429
        return f"the server answered {answer.status_code}", not busy


def authorities(ca_file: Path | None, extra_ca: str) -> str:
    """Those of the system and the region's own, in one file: requests takes no two."""
    import requests

    system = Path("/etc/ssl/certs/ca-certificates.crt")
    texts = [(system if system.is_file() else Path(requests.utils.DEFAULT_CA_BUNDLE_PATH)).read_text()]
    if ca_file is not None:
        texts.append(ca_file.read_text())
    texts.append(extra_ca)
    return "\n".join(texts)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
