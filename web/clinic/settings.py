"""What the region decides about its pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from web.clinic.oidc_settings import OidcClientSettings

_LOOPBACK = ("localhost", "127.0.0.1")
MIN_SECRET_CHARS = 32


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Raises ValueError, in words for who configures the region, when a value cannot work."""

    secret_key: str = field(repr=False)
    """Signs the sign-in cookie; keep it across restarts, or everyone is signed out."""
    public_url: str
    """Where browsers find the pages, as in https://video.region.example; other host names are refused."""
    secure_cookies: bool = False
    """Cookies over TLS only; always so when public_url is https."""
    support_phone: str = ""
    """Whom a clinician calls when the connection is lost."""
    time_zone: str = "Europe/Stockholm"
    idle_timeout_s: int = 4 * 3600
    """A clinic's morning; open pages that refresh themselves do not count as use, a meeting does."""
    sign_in_lifetime_s: int = 12 * 3600
    max_feeds: int = 96
    """Server-sent events hold one web thread each: run more threads than this."""
    max_feeds_per_account: int = 8
    quality_days: int = 30
    """How long the region keeps the figures of calls; the page says so."""
    return_to: tuple[str, ...] = ()
    """Beginnings of the addresses that a link may ask to be led back to."""
    oidc: OidcClientSettings | None = None
    """The region's OpenID provider."""
    feed_ping_s: float = 15.0
    """A word this often keeps proxies from closing a feed and finds pages that are gone."""
    meeting_ping_s: float = 2.0
    """The same for a meeting's feed; its page takes the line for dead after three (static/feed.js)."""

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        parts = urlsplit(self.public_url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError("public_url: write it as https://host or http://localhost:port")
        if len(self.secret_key) < MIN_SECRET_CHARS:
            raise ValueError(f"secret_key: needs at least {MIN_SECRET_CHARS} characters")
        try:
            ZoneInfo(self.time_zone)
        except ZoneInfoNotFoundError:
            raise ValueError(f"time_zone: {self.time_zone} is not known here; install tzdata") from None

    @property
    def secure(self) -> bool:
        """Whether browsers reach the pages over TLS."""
        return self.secure_cookies or self.public_url.startswith("https:")

    @property
    def zone(self) -> ZoneInfo:
        """The clinics' local time."""
        return ZoneInfo(self.time_zone)

    @property
    def hosts(self) -> frozenset[str]:
        """The Host headers that are ours; on loopback both of its names."""
        parts = urlsplit(self.public_url)
        if parts.hostname in _LOOPBACK:
            port = f":{parts.port}" if parts.port else ""
            return frozenset(name + port for name in _LOOPBACK)
        return frozenset({parts.netloc.lower()})
