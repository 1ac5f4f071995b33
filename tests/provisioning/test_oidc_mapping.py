"""What an OpenID provider's claims mean here."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from provisioning.oidc_mapping import assignments, name_of, subject_of
from provisioning.oidc_settings import OidcSettings
from web.clinic.people import Assignment

KNOWN = frozenset({"Norra", "Södra"})
ROLES = {"doctor": "clinician", "nurse": "staff", "ops": "it"}
UNITS = {"SE-N": "Norra", "SE-S": "Södra", "SE-X": "Ingenstans"}


def settings(**changes: Any) -> OidcSettings:
    given = {"issuer": "https://id.example", "client_id": "me", "roles": ROLES, "clinics": UNITS, **changes}
    return OidcSettings.model_validate(given)


@pytest.mark.parametrize(
    ("claims", "found"),
    [
        ({"groups": ["doctor"], "clinic": "SE-N"}, ["clinician Norra"]),
        ({"groups": "doctor", "clinic": ["SE-N", "SE-S"]}, ["clinician Norra", "clinician Södra"]),
        (
            {"groups": ["nurse", "doctor", "doctor"], "clinic": ["SE-N"]},
            ["staff Norra", "clinician Norra"],
        ),
        ({"groups": ["other"], "clinic": ["SE-N"]}, []),
        ({"groups": ["doctor"], "clinic": ["SE-X", "SE-UNKNOWN"]}, []),
        ({"groups": ["doctor"]}, []),
        ({"clinic": ["SE-N"]}, []),
        ({"groups": ["ops"]}, ["it "]),
        ({"groups": ["ops"], "clinic": ["SE-N"]}, ["it Norra"]),
        ({"groups": {"doctor": True}, "clinic": 7}, []),
        ({"groups": [["doctor"], None, "doctor"], "clinic": ["", "SE-N"]}, ["clinician Norra"]),
        ({}, []),
    ],
)
def test_roles_and_clinics_by_claims(claims: dict[str, Any], found: list[str]) -> None:
    given = assignments(claims, settings(), KNOWN)
    assert [f"{one.role} {one.clinic}" for one in given] == found


def test_commissions_each_have_a_role_and_a_unit_of_their_own() -> None:
    told = {
        "commissions": [
            {"unit": "SE-N", "purpose": "doctor"},
            {"unit": "SE-S", "purpose": "nurse"},
            {"unit": "SE-S", "purpose": "research"},
            "nonsense",
        ]
    }
    wanted = settings(assignments_claim="commissions", role_claim="purpose", clinic_claim="unit")
    assert assignments(told, wanted, KNOWN) == (
        Assignment("clinician", "Norra"),
        Assignment("staff", "Södra"),
    )


def test_a_role_beside_all_commissions_holds_for_each() -> None:
    told = {"groups": ["doctor"], "commissions": [{"clinic": "SE-N"}, {"clinic": "SE-S"}]}
    found = assignments(told, settings(assignments_claim="commissions"), KNOWN)
    assert [one.clinic for one in found] == ["Norra", "Södra"]


def test_claims_inside_of_claims_and_with_dots_in_their_names() -> None:
    wanted = settings(role_claim="realm_access.roles", clinic_claim="https://id.example/unit", clinics={})
    told = {"realm_access": {"roles": ["nurse"]}, "https://id.example/unit": "Norra"}
    assert assignments(told, wanted, KNOWN) == (Assignment("staff", "Norra"),)


def test_a_hundred_units_are_not_a_hundred_buttons() -> None:
    many = [f"unit {number}" for number in range(100)]
    told = {"groups": ["doctor"], "clinic": many}
    assert len(assignments(told, settings(clinics={}), frozenset(many))) == 50


def test_who_it_is() -> None:
    claims = {"sub": "s1", "hsa": "SE2321-ABCD", "given_name": "Anna", "family_name": "Berg"}
    assert (subject_of(claims, settings()), subject_of(claims, settings(subject_claim="hsa"))) == (
        "s1",
        "SE2321-ABCD",
    )
    assert (name_of(claims, settings()), name_of(claims | {"name": "A B"}, settings())) == (
        "Anna Berg",
        "A B",
    )
    assert (subject_of({}, settings()), name_of({}, settings())) == (None, "?")


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://id.example"},
        {"issuer": "https://id.example?x=1"},
        {"issuer": "id.example"},
        {"roles": {}},
        {"roles": {"doctor": "doctor"}},
        {"scopes": ["profile"]},
        {"clock_skew_s": 6000},
        {"secret": "in the open"},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**wrong)


def test_localhost_needs_no_tls_and_lists_may_be_words() -> None:
    made = settings(issuer="http://localhost:9000", scopes="openid hsa", acr_values="loa3 loa4")
    assert (made.scopes, made.acr_values) == (("openid", "hsa"), ("loa3", "loa4"))
