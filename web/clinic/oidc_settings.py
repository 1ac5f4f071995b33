"""What the pages are told of the OpenID provider."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class OidcClientSettings:
    """One provider. The secret is None for a public client, whom PKCE alone protects."""

    issuer: str
    client_id: str
    client_secret: str | None = field(repr=False)
    name: str
    scopes: tuple[str, ...] = ("openid", "profile")
    acr_values: tuple[str, ...] = ()
    clock_skew_s: int = 60
    ca_file: str | None = None
    userinfo: bool = True
