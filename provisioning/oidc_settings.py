"""`[oidc]` of the region's settings: the OpenID provider, and what its claims mean here."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from web.clinic.services import Role

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class OidcSettings(BaseModel):
    """One OpenID provider (OpenID Connect Core 1.0, Discovery 1.0); sign-in beside local accounts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str
    """As the provider writes it, to the letter; https, but on localhost."""
    client_id: str = Field(min_length=1, max_length=200)
    client_secret_file: Path | None = None
    """Left out for a public client, whom PKCE (RFC 7636) alone protects."""
    name: str = Field(default="OpenID", min_length=1, max_length=60)
    """What the sign-in page calls it."""
    scopes: tuple[str, ...] = ("openid", "profile")
    acr_values: tuple[str, ...] = ()
    """Levels of assurance that are enough, any of them; empty: whatever the provider asks for."""
    clock_skew_s: int = Field(default=60, ge=0, le=600)
    ca_file: Path | None = None
    """Authorities for the provider's certificate, where they are not the public ones."""
    userinfo: bool = True
    """Also ask the UserInfo endpoint: many providers give groups there only."""
    subject_claim: str = "sub"
    keep_subject: bool = False
    """Keep the subject itself with the account, such as an HSA-id; otherwise a keyed digest of it."""
    name_claim: str = "name"
    assignments_claim: str | None = None
    """A list of objects, each with a role and a clinic of its own, such as commissions of HSA."""
    role_claim: str = "groups"
    clinic_claim: str = "clinic"
    roles: dict[str, Role] = Field(min_length=1)
    """A value of the role's claim, and the role it gives."""
    clinics: dict[str, str] = {}
    """A value of the clinic's claim, such as a care unit's HSA-id, and the clinic's name here; left out: the
    value is the name."""

    @field_validator("issuer")
    @classmethod
    def _is_safe(cls, value: str) -> str:
        parts = urlsplit(value)
        if not parts.hostname or parts.query or parts.fragment or parts.username:
            raise ValueError("is the provider's https address, without query or fragment")
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            raise ValueError("must be https; http is for localhost alone")
        return value

    @field_validator("scopes")
    @classmethod
    def _asks_for_openid(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "openid" not in value:
            raise ValueError("must hold openid")
        return value

    @model_validator(mode="before")
    @classmethod
    def _lists_are_tuples(cls, values: object) -> object:
        if not isinstance(values, dict):
            return values
        texts = {
            name: values[name].split()
            for name in ("scopes", "acr_values")
            if isinstance(values.get(name), str)
        }
        return {**values, **texts}
