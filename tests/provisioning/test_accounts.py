"""Staff's sign-in and booking systems' tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from provisioning.accounts import Accounts, Clients
from provisioning.database import Database
from web.clinic.services import Refused, TooManyTries

GOOD = "correct horse battery"


@pytest.fixture
def anna(accounts: Accounts) -> str:
    return accounts.add(" Anna ", "Anna A", "clinician", "Norra", GOOD).id


def test_the_right_password_signs_in_and_the_name_is_not_case_sensitive(
    accounts: Accounts, anna: str
) -> None:
    account = accounts.authenticate("ANNA", GOOD)
    assert account is not None
    assert (account.id, account.role, account.clinic) == (anna, "clinician", "Norra")
    assert accounts.get(anna) == account


@pytest.mark.parametrize(("name", "password"), [("anna", "wrong horse"), ("nobody", GOOD), ("", "")])
def test_wrong_name_and_wrong_password_are_alike(
    accounts: Accounts, anna: str, name: str, password: str
) -> None:
    assert accounts.authenticate(name, password) is None


@pytest.mark.parametrize("name", ["anna", "nobody"])
def test_five_wrong_tries_pause_two_minutes_also_across_a_restart(
    accounts: Accounts, anna: str, database: Database, clock: Any, name: str
) -> None:
    for _ in range(5):
        assert accounts.authenticate(name, "wrong") is None
    with pytest.raises(TooManyTries):
        accounts.authenticate(name, GOOD)
    restarted = Accounts(database, clock, accounts._hasher)
    clock.pass_by(seconds=119)
    with pytest.raises(TooManyTries) as paused:
        restarted.authenticate(name, GOOD)
    assert (paused.value.until - clock.now).total_seconds() == 1
    clock.pass_by(seconds=2)
    assert (restarted.authenticate(name, GOOD) is not None) == (name == "anna")


def test_a_right_try_clears_the_count(accounts: Accounts, anna: str) -> None:
    for _ in range(3):
        for _ in range(4):
            accounts.authenticate("anna", "wrong")
        assert accounts.authenticate("anna", GOOD) is not None


def test_a_closed_account_is_out_at_once(accounts: Accounts, anna: str) -> None:
    accounts.close("anna")
    assert accounts.get(anna) is None
    assert accounts.authenticate("anna", GOOD) is None


@pytest.mark.parametrize(
    ("values", "field"),
    [
        (("x", "n", "clinician", "c", GOOD), "username"),
        (("berit", "n", "doctor", "c", GOOD), "role"),
        (("berit", "n", "staff", " ", GOOD), "clinic"),
        (("berit", "n", "staff", "c", "short"), "password"),
        (("berit", "n", "staff", "c", ""), "password"),
        (("anna", "n", "staff", "c", GOOD), "username"),
    ],
)
def test_what_makes_no_account(accounts: Accounts, anna: str, values: tuple[str, ...], field: str) -> None:
    with pytest.raises(Refused) as refused:
        accounts.add(*values)
    assert refused.value.field_name == field


def test_passwords_tried_names_and_tokens_are_not_in_the_database(
    accounts: Accounts, clients: Clients, database_file: Path, anna: str
) -> None:
    accounts.authenticate("password typed as name", "wrong")
    _, token = clients.add("Tidbok", "Norra")
    stored = b"".join(file.read_bytes() for file in database_file.parent.iterdir())
    assert b"$argon2id$" in stored
    for secret in (GOOD, "password typed as name", token):
        assert secret.encode() not in stored


def test_a_token_names_its_client_and_another_does_not(clients: Clients) -> None:
    client_id, token = clients.add("Tidbok", "Norra")
    assert clients.authorise(token) == client_id
    assert clients.authorise(token[:-1]) is None
    assert clients.authorise("") is None


def test_the_librarys_own_strength_is_what_is_recommended() -> None:
    """OWASP: argon2id with 19 MiB and two passes, or more."""
    hasher = PasswordHasher()
    assert (hasher.type.name, hasher.memory_cost >= 19 * 1024, hasher.time_cost >= 2) == ("ID", True, True)
