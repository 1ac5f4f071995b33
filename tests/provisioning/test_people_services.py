"""Sign-ins through the OpenID provider become accounts here, and those who signed out stay out."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from provisioning.accounts import NO_PASSWORD, Accounts
from provisioning.database import Database
from provisioning.oidc_settings import OidcSettings
from provisioning.people_services import PeopleServices
from web.clinic.people import Assignment

CLAIMS = {
    "sub": "person-4711",
    "name": "Anna Berg",
    "groups": ["doctor", "ops"],
    "clinic": ["Norra vårdcentralen"],
}
DOCTOR, OPS = Assignment("clinician", "Norra vårdcentralen"), Assignment("it", "Norra vårdcentralen")


def make(database: Database, accounts: Accounts, clock: Any, **changes: Any) -> PeopleServices:
    roles = {"doctor": "clinician", "ops": "it"}
    given = {"issuer": "https://id.example", "client_id": "me", "roles": roles, **changes}
    return PeopleServices(database, accounts, clock=clock, oidc=OidcSettings.model_validate(given))


@pytest.fixture
def people(database: Database, accounts: Accounts, clock: Any) -> PeopleServices:
    return make(database, accounts, clock)


def test_a_person_has_one_account_for_each_assignment(people: PeopleServices) -> None:
    assert people.assignments(CLAIMS) == (DOCTOR, OPS)
    first, again = (
        people.sign_in_as(CLAIMS, DOCTOR),
        people.sign_in_as(CLAIMS | {"name": "Anna Berg Ek"}, DOCTOR),
    )
    other = people.sign_in_as(CLAIMS, OPS)
    assert first is not None
    assert again is not None
    assert other is not None
    assert (first.id, again.name) == (again.id, "Anna Berg Ek")
    assert (other.id == first.id, other.role, first.identified) == (False, "it", "oidc")
    assert people.account(first.id) == again


def test_an_assignment_that_the_claims_do_not_give_is_none(
    people: PeopleServices, accounts: Accounts
) -> None:
    assert people.sign_in_as(CLAIMS, Assignment("staff", "Norra vårdcentralen")) is None
    assert people.sign_in_as({**CLAIMS, "sub": ""}, DOCTOR) is None
    assert accounts.list() == []


def test_a_clinic_that_is_not_here_is_not_made_by_a_claim(people: PeopleServices) -> None:
    assert people.assignments({**CLAIMS, "groups": ["doctor"], "clinic": ["Påhittad"]}) == ()


def test_a_closed_account_stays_closed(people: PeopleServices, accounts: Accounts) -> None:
    made = people.sign_in_as(CLAIMS, DOCTOR)
    assert made is not None
    accounts.close(f"oidc:{made.id}")
    assert people.sign_in_as(CLAIMS, DOCTOR) is None
    assert people.account(made.id) is None


@pytest.mark.parametrize("password", ["", NO_PASSWORD, "x"])
def test_no_password_opens_such_an_account(people: PeopleServices, accounts: Accounts, password: str) -> None:
    made = people.sign_in_as(CLAIMS, DOCTOR)
    assert made is not None
    assert accounts.authenticate(f"oidc:{made.id}", password) is None


@pytest.mark.parametrize("keep", [False, True])
def test_the_subject_is_kept_only_if_the_region_says_so(
    database: Database, accounts: Accounts, clock: Any, database_file: Path, keep: bool
) -> None:
    made = make(database, accounts, clock, keep_subject=keep).sign_in_as(CLAIMS, DOCTOR)
    assert made is not None
    stored = b"".join(file.read_bytes() for file in database_file.parent.iterdir())
    assert (b"person-4711" in stored) is keep
    assert accounts.ids_of("https://id.example", "person-4711") == {made.id}
    assert accounts.ids_of("https://other.example", "another") == frozenset()


def test_without_a_provider_nobody_has_an_assignment(
    database: Database, accounts: Accounts, clock: Any
) -> None:
    people = PeopleServices(database, accounts, clock=clock)
    assert people.assignments(CLAIMS) == ()
    assert people.sign_in_as(CLAIMS, DOCTOR) is None


def test_who_signed_out_is_remembered_as_long_as_a_sign_in_can_live(
    people: PeopleServices, clock: Any
) -> None:
    people.remember_ended("d" * 64)
    clock.pass_by(hours=1)
    assert people.ended_sign_ins(clock.now - timedelta(hours=12)) == {"d" * 64}
    assert people.ended_sign_ins(clock.now) == frozenset()
    assert people.ended_sign_ins(clock.now - timedelta(hours=12)) == frozenset()
