"""Staff's sign-in and booking systems' tokens."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Lock
from time import sleep
from typing import Any, Literal

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

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


def test_the_file_with_the_digests_is_for_its_owner_alone(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/own.db")
    database.create()
    modes = {file.name: file.stat().st_mode & 0o077 for file in tmp_path.glob("own.db*")}
    database.close()
    assert set(modes.values()) == {0}


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


def test_many_sign_ins_at_once_do_not_all_take_the_memory_that_a_digest_needs(
    database: Database, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provisioning.accounts.HASHES_AT_ONCE", 2)
    all_try, busy, most = Barrier(6), Lock(), [0, 0]

    class Hasher(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
            with busy:
                most[0] += 1
                most[1] = max(most)
            sleep(0.005)
            with busy:
                most[0] -= 1
            raise VerifyMismatchError

    accounts = Accounts(database, clock, Hasher(time_cost=1, memory_cost=8, parallelism=1))

    def sign_in(number: int) -> None:
        all_try.wait()
        assert accounts.authenticate(f"nobody{number}", "wrong") is None

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(sign_in, range(6)))
    assert most[0] == 0
    assert 1 <= most[1] <= 2


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
