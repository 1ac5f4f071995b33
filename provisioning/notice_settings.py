"""`[smtp]` and `[webhook]` of the region's settings: how it tells of rooms that are not ready."""

from __future__ import annotations

import ssl
from email.errors import HeaderParseError
from email.headerregistry import Address
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from provisioning.oidc_settings import LOOPBACK

PORTS = {"starttls": 587, "tls": 465, "none": 25}
"""RFC 8314: 587 begins in clear and turns to TLS, 465 is TLS from the start."""
SHORTEST_SECRET = 24


class SmtpSettings(BaseModel):
    """The mail server that takes the region's notices (RFC 6409)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(min_length=1)
    port: int | None = Field(default=None, ge=1, le=65535)
    """Left out: 587 with starttls, 465 with tls."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """`none` is for a mail server on this machine alone."""
    user: str = ""
    """Empty: the server takes mail from this machine without a sign-in."""
    password_file: Path | None = None
    sender: str
    """The address that notices come from."""
    ca_file: Path | None = None
    """Authorities for the server's certificate, where they are not the public ones."""
    timeout_s: float = Field(default=20.0, gt=0, le=120)

    @field_validator("sender")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if not is_address(value):
            raise ValueError(f"{value!r} is no address such as halsorum@region.example")
        return value

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if self.security == "none" and self.host not in LOOPBACK:
            raise ValueError("security none is for a mail server on this machine; write starttls or tls")
        if bool(self.user) != (self.password_file is not None):
            raise ValueError("user and password_file belong together")
        return self

    @property
    def used_port(self) -> int:
        """Where to connect."""
        return self.port or PORTS[self.security]


class WebhookSettings(BaseModel):
    """Notices as JSON to other systems, signed as Standard Webhooks has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    secret_file: Path
    """Holds what sender and receivers share, such as the output of: openssl rand -hex 32."""
    ca_file: Path | None = None
    timeout_s: float = Field(default=10.0, gt=0, le=60)


def is_address(text: str) -> bool:
    """Whether a mail could be sent there: one @ with something before and after, and nothing that ends a line."""
    if not (text.isascii() and text.isprintable() and len(text) <= 254):
        return False
    try:
        address = Address(addr_spec=text)
    except (HeaderParseError, ValueError, IndexError):
        return False
    return bool(address.username and address.domain) and address.addr_spec == text


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Checks the server's certificate and name."""
    return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
