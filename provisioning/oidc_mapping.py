"""From an OpenID provider's claims to roles and clinics here. Pure: it reads what it is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

from provisioning.oidc_settings import OidcSettings
from web.clinic.people import Assignment
from web.clinic.services import Role

MOST_ASSIGNMENTS = 50
MAX_TEXT = 255


def assignments(
    claims: Mapping[str, Any], settings: OidcSettings, known_clinics: Set[str]
) -> tuple[Assignment, ...]:
    """Every role at every clinic that the claims give, each once, in the claims' order.

    A value that is not in `roles` gives nothing, nor does a clinic that is not known here. IT needs no clinic.
    """
    found: dict[Assignment, None] = {}
    for source in _sources(claims, settings):
        roles = [settings.roles[value] for value in _texts(_read(source, claims, settings.role_claim))
                 if value in settings.roles]  # fmt: skip
        clinics = [name for name in _clinics(source, claims, settings) if name in known_clinics]
        found |= dict.fromkeys(_pairs(roles, clinics))
    return tuple(found)[:MOST_ASSIGNMENTS]


def subject_of(claims: Mapping[str, Any], settings: OidcSettings) -> str | None:
    """Who it is, or None if the claims do not say."""
    return next(_texts(_find(claims, settings.subject_claim)), None)


def name_of(claims: Mapping[str, Any], settings: OidcSettings) -> str:
    """The person's own name, as colleagues see it; the subject's first letters where there is none."""
    parts = (next(_texts(claims.get(part)), "") for part in ("given_name", "family_name"))
    return next(_texts(_find(claims, settings.name_claim)), "") or " ".join(filter(None, parts)) or "?"


def _sources(claims: Mapping[str, Any], settings: OidcSettings) -> list[Mapping[str, Any]]:
    if settings.assignments_claim is None:
        return [claims]
    told = _find(claims, settings.assignments_claim)
    listed = told if isinstance(told, list) else [told]
    return [one for one in listed if isinstance(one, Mapping)]


def _clinics(source: Mapping[str, Any], claims: Mapping[str, Any], settings: OidcSettings) -> Iterator[str]:
    for value in _texts(_read(source, claims, settings.clinic_claim)):
        if not settings.clinics:
            yield value
        elif value in settings.clinics:
            yield settings.clinics[value]


def _pairs(roles: list[Role], clinics: list[str]) -> Iterator[Assignment]:
    for role in roles:
        if role == "it" and not clinics:
            yield Assignment(role, "")
        for clinic in clinics:
            yield Assignment(role, clinic)


def _read(source: Mapping[str, Any], claims: Mapping[str, Any], path: str) -> object:
    """An assignment's own claim; a role or clinic that stands beside all assignments holds for each."""
    own = _find(source, path)
    return _find(claims, path) if own is None else own


def _find(claims: Mapping[str, Any], path: str) -> object:
    """A claim by its name, or `a.b` inside of another; a name that itself has a dot comes first."""
    if path in claims:
        return claims[path]
    here: object = claims
    for part in path.split("."):
        here = here.get(part) if isinstance(here, Mapping) else None
    return here


def _texts(value: object) -> Iterator[str]:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str) and 0 < len(one.strip()) <= MAX_TEXT:
            yield one.strip()
