"""The OpenID provider, by Authlib: authorization code flow with PKCE, and what its answer must be.

OpenID Connect Core 1.0 section 3.1, Discovery 1.0, RP-Initiated Logout 1.0, RFC 7636 (PKCE), RFC 9207 (iss).
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Flask, request, session
from joserfc.errors import JoseError
from werkzeug.wrappers import Response

from web.clinic.oidc_settings import OidcClientSettings

_log = logging.getLogger(__name__)

ANSWER_WITHIN_S = 5.0
"""Of each request to the provider; a person waits for it."""
STARTED_GOOD_FOR_S = 900
"""How long someone may take at the provider's pages."""
MOST_STARTED = 20_000
"""About 14 MB; anyone may start one, and the oldest gives way."""
MOST_STARTED_PER_BROWSER = 4
ASK_AGAIN_AFTER_S = 2.0
"""Of a provider that did not answer: otherwise everyone who tries would hold a thread for five seconds."""
ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "Ed25519",
    "EdDSA",
)
"""Signatures by the provider's own key; never `none`, and never HMAC under a secret that others may share."""
_STATE = "_state_oidc_"


class ProviderAway(RuntimeError):
    """The provider did not answer, or answered nothing that a provider would."""


class AnswerRefused(RuntimeError):
    """The sign-in did not come about; `why` is one of cancelled, stale, level, wrong."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Answer:
    """Who has signed in at the provider."""

    claims: Mapping[str, Any]
    id_token: str = field(repr=False)


class Started:
    """Sign-ins under way, in this process's memory: each is taken once, so that no answer works twice."""

    def __init__(self) -> None:
        self._items: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._lock = Lock()

    def set(self, key: str, value: str, _expires_s: int) -> None:
        """Keep one; the oldest gives way."""
        with self._lock:
            self._items[key] = (time.monotonic() + STARTED_GOOD_FOR_S, value)
            while len(self._items) > MOST_STARTED:
                self._items.popitem(last=False)

    def get(self, key: str) -> str | None:
        """What was kept, if it is not too old."""
        with self._lock:
            until, value = self._items.get(key, (0.0, ""))
        return value if until > time.monotonic() else None

    def delete(self, key: str) -> None:
        """It was used."""
        with self._lock:
            self._items.pop(key, None)


class OidcClient:
    """One provider. Its metadata is asked for when first needed, its keys again when it signs with a new one."""

    def __init__(self, app: Flask, settings: OidcClientSettings) -> None:
        self.settings = settings
        self._away_until = 0.0
        kwargs: dict[str, Any] = {
            "scope": " ".join(settings.scopes),
            "code_challenge_method": "S256",
            "default_timeout": ANSWER_WITHIN_S,
            # Of the access token, which is used at once: the library would call one of a minute too old.
            "leeway": 0,
            "token_endpoint_auth_method": "client_secret_basic" if settings.client_secret else "none",
        }
        if settings.ca_file is not None:
            kwargs["verify"] = settings.ca_file
        self._client: Any = OAuth(app, cache=Started()).register(
            "oidc",
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            server_metadata_url=settings.issuer.rstrip("/") + "/.well-known/openid-configuration",
            client_kwargs=kwargs,
        )

    def start(self, redirect_uri: str) -> Response:
        """To the provider's pages; raises ProviderAway."""
        self._metadata()
        for key in [key for key in session if key.startswith(_STATE)][: 1 - MOST_STARTED_PER_BROWSER]:
            session.pop(key)
        asked = {"acr_values": " ".join(self.settings.acr_values)} if self.settings.acr_values else {}
        answer: Response = self._client.authorize_redirect(redirect_uri, **asked)
        return answer

    def finish(self) -> Answer:
        """Read the provider's answer in this request; raises AnswerRefused or ProviderAway."""
        metadata = self._metadata()
        if request.args.get("error"):
            raise AnswerRefused("cancelled")
        self._check_issuer(metadata)
        try:
            token = self._client.authorize_access_token(
                leeway=self.settings.clock_skew_s,
                claims_options={
                    "iss": {"essential": True, "value": self.settings.issuer},
                    "aud": {"essential": True, "value": self.settings.client_id},
                },
            )
            claims = token.get("userinfo")
            if claims is None:
                raise AnswerRefused("wrong")
            self._check_level(claims)
            return Answer({**self._more(token, claims), **claims}, token["id_token"])
        except OAuthError as error:
            stale = error.error in {"mismatching_state", "invalid_grant"}
            raise self._refusal("stale" if stale else "wrong", error) from None
        except (JoseError, KeyError, TypeError, ValueError) as error:
            # ValueError also covers what requests raises for an answer that is no JSON.
            raise self._refusal("wrong", error) from None
        except requests.RequestException as error:
            raise self._away(error) from None

    def logout_url(self, back: str, id_token: str | None) -> str | None:
        """Where signing out goes on at the provider, if it can; never waits for it."""
        endpoint = self._client.server_metadata.get("end_session_endpoint")
        if not endpoint:
            return None
        url: str = self._client.create_logout_url(back, id_token, client_id=self.settings.client_id)["url"]
        return url

    def _metadata(self) -> Mapping[str, Any]:
        if time.monotonic() < self._away_until:
            raise ProviderAway
        try:
            metadata: dict[str, Any] = self._client.load_server_metadata()
        except (requests.RequestException, ValueError) as error:
            raise self._away(error) from None
        if metadata.get("issuer") != self.settings.issuer:
            metadata.pop("_loaded_at", None)
            _log.error(
                "the OpenID provider calls itself by another issuer than [oidc] issuer in the settings"
            )
            raise ProviderAway
        told = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        usable = [name for name in told if name in ALGORITHMS]
        # The library takes an empty list for its default.
        metadata["id_token_signing_alg_values_supported"] = usable or ["RS256"]
        return metadata

    def _check_issuer(self, metadata: Mapping[str, Any]) -> None:
        """RFC 9207, section 2.4: the answer to one provider's question does not come from another."""
        told = request.args.get("iss")
        must = metadata.get("authorization_response_iss_parameter_supported") is True
        if told != self.settings.issuer and (must or told is not None):
            _log.warning("an OpenID answer was refused: iss")
            raise AnswerRefused("wrong")

    def _check_level(self, claims: Mapping[str, Any]) -> None:
        if self.settings.acr_values and claims.get("acr") not in self.settings.acr_values:
            _log.info("an OpenID answer was refused: acr")
            raise AnswerRefused("level")

    def _more(self, token: Mapping[str, Any], claims: Mapping[str, Any]) -> Mapping[str, Any]:
        if not self.settings.userinfo or not self._client.server_metadata.get("userinfo_endpoint"):
            return {}
        told: Mapping[str, Any] = self._client.userinfo(token=token)
        if told.get("sub") != claims.get("sub"):  # Core 1.0, section 5.3.2
            _log.warning("an OpenID answer was refused: the sub of UserInfo")
            raise AnswerRefused("wrong")
        return told

    def _refusal(self, why: str, error: Exception) -> AnswerRefused:
        # Its text may repeat what the provider or a person sent.
        claim = getattr(error, "claim", "")
        _log.warning("an OpenID answer was refused: %s %s", type(error).__name__, claim)
        return AnswerRefused(why)

    def _away(self, error: Exception) -> ProviderAway:
        self._away_until = time.monotonic() + ASK_AGAIN_AFTER_S
        _log.warning("the OpenID provider does not answer: %s", type(error).__name__)
        return ProviderAway()
