"""What is found and masked, and what is left alone."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.diagnostics.personal import Scanner, is_personnummer

PERSONS = ("Åsa Kanarie", "k3v9q2m4x8t1", "A17", 'sa "hej"')


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("pnr 811218-9876 sent", "personnummer"),
        ("198112189876", "personnummer"),
        ("19811218 9876", "personnummer"),
        ("x8112189876y", "personnummer"),
        ("811218+9876", "personnummer"),
        ("811218\u20119876", "personnummer"),
        ("701063-2391", "personnummer"),
        ("mail anna.k+1@region.example now", "email"),
        ("called +46 70 123 45 67", "phone"),
        ("called 070-123 45 67", "phone"),
        ("called 0701234567", "phone"),
        ("called 08-12 34 56 78", "phone"),
        ("code 483920 refused", "code"),
        ("code: 483920", "code"),
        ("åsa said", "person"),
        ("KANARIE left", "person"),
        ("session k3v9q2m4x8t1 -> waiting", "person"),
        ('{"caption": "sa \\"hej\\""}', "person"),
        ("ref A17.", "person"),
    ],
)
def test_found(text, kind):
    masked, found = Scanner(PERSONS).mask(text)
    assert found == Counter({kind: 1})
    assert f"[{kind}]" in masked
    assert Scanner(PERSONS).is_clean(masked)


@pytest.mark.parametrize(
    "text",
    [
        "811218-9875",  # the check digit is wrong
        "811318-9876",  # no such month
        "2026-11-22T11:31:40+0100 halsorum-agent[123456]: INFO ready",
        "192.168.100.200 dev eth0 metric 100",
        '  "unit.db": 131072,',
        "sha256 3f1a0701234567ab",
        "took 0.123456 s",
        "A175 kanariefågel",
        "fe80::1234:5678:9abc:def0",
    ],
)
def test_left_alone(text):
    assert Scanner(PERSONS).mask(text) == (text, Counter())


def test_the_supports_own_number_stays_however_it_is_written():
    scanner = Scanner(allowed=("08-123 456 78",))
    assert scanner.is_clean("ring +46 8 123 456 78 eller 08-12345678")
    assert not scanner.is_clean("ring 08-123 456 79")


def check_digit(nine):
    return next(str(last) for last in range(10) if luhn_is_right(nine + str(last)))


def luhn_is_right(ten):
    total = sum(int(digit) for place in range(1, 10, 2) for digit in ten[place])
    for place in range(0, 10, 2):
        twice = 2 * int(ten[place])
        total += twice - 9 if twice > 9 else twice
    return total % 10 == 0


@given(
    st.dates(),
    st.booleans(),
    st.integers(0, 999),
    st.sampled_from(["", "-", "+", " "]),
    st.booleans(),
)
def test_every_number_there_can_be_is_found(born, coordination, serial, joint, century):
    if (born.month, born.day) == (2, 29) and born.year % 4:
        return
    day = born.day + 60 * coordination
    nine = f"{born.year % 100:02}{born.month:02}{day:02}{serial:03}"
    text = f"{'19' if century else ''}{nine[:6]}{joint}{nine[6:]}{check_digit(nine)}"
    assert Scanner().mask(f"at {text}.")[1]["personnummer"] + Scanner().mask(text)[1]["phone"] >= 1
    assert is_personnummer(nine + check_digit(nine))
    wrong = str((int(check_digit(nine)) + 1) % 10)
    assert not is_personnummer(nine + wrong)
