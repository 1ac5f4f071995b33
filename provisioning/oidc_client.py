"""What the pages are told of the OpenID provider."""

from __future__ import annotations

from provisioning.oidc_settings import OidcSettings
from provisioning.settings import SettingsError
from web.clinic.oidc_settings import OidcClientSettings


def oidc_client(oidc: OidcSettings | None) -> OidcClientSettings | None:
    """The pages' part of `[oidc]`, with the secret read from its file; raises SettingsError."""
    if oidc is None:
        return None
    if oidc.ca_file is not None and not oidc.ca_file.is_file():
        raise SettingsError(
            f"oidc.ca_file: {oidc.ca_file} is no file. Write the authorities there, or leave it out."
        )
    return OidcClientSettings(
        issuer=oidc.issuer,
        client_id=oidc.client_id,
        client_secret=_secret(oidc),
        name=oidc.name,
        scopes=oidc.scopes,
        acr_values=oidc.acr_values,
        clock_skew_s=oidc.clock_skew_s,
        ca_file=None if oidc.ca_file is None else str(oidc.ca_file),
        userinfo=oidc.userinfo,
    )


def _secret(oidc: OidcSettings) -> str | None:
    file = oidc.client_secret_file
    if file is None:
        return None
    try:
        secret = file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise SettingsError(f"oidc.client_secret_file: {file} cannot be read: {reason}.") from None
    if not secret:
        raise SettingsError(f"oidc.client_secret_file: {file} is empty. Write the client's secret into it.")
    return secret
