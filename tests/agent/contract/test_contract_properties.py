"""Whatever comes, the contract reads it or refuses it, and a refusal repeats nothing of what came."""

import copy
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.contract import CHANNELS, MAX_BODY_BYTES, ContractError, Topic, decode
from agent.contract.events import event_hash
from agent.contract.samples import load
from agent.contract.schedule import Schedule, check_sessions

CANARY = "Kanariefagel-19121212"
GOOD = load("ok")
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(CANARY)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.just(CANARY), inner),
    max_leaves=6,
)
LEVELS = {
    "command": st.from_regex(r"[a-z0-9-]{4,64}", fullmatch=True),
    "kind": st.from_regex(r"[a-z][a-z_]{1,39}", fullmatch=True),
    "session": st.from_regex(r"[a-z0-9]{8,40}", fullmatch=True),
    "peer": st.from_regex(r"[a-z0-9]{4,40}", fullmatch=True),
}


def refused_or_read(topic, payload):
    try:
        decode(topic, payload)
    except ContractError as error:
        assert CANARY not in str(error)


@given(st.sampled_from(GOOD), st.binary(max_size=200))
def test_random_bytes_are_refused(sample, payload):
    with pytest.raises(ContractError):
        decode(sample.topic, payload)


@given(st.data(), st.sampled_from(GOOD), VALUES)
def test_a_message_with_one_part_replaced_is_read_or_refused(data, sample, value):
    message = copy.deepcopy(sample.message)
    node = message
    while True:
        keys = sorted(node) if isinstance(node, dict) else range(len(node))
        key = data.draw(st.sampled_from(list(keys)))
        if not isinstance(node[key], dict | list) or not node[key] or data.draw(st.booleans()):
            break
        node = node[key]
    node[key] = value
    refused_or_read(sample.topic, json.dumps(message).encode())


@given(VALUES)
def test_a_key_that_the_sender_made_up_is_not_repeated(value):
    payload = {
        "v": 1,
        "id": "x",
        "ts": "2026-11-22T08:00:00Z",
        "data": {"name": "selftest", "arguments": {CANARY: value}},
    }
    refused_or_read("hr/v1/u/unit-7/dn/cmd/cmd-0001", json.dumps(payload).encode())


@given(st.text())
def test_any_text_is_a_topic_or_refused_without_being_repeated(text):
    refused_or_read(text + CANARY, b"{}")


@given(
    st.data(), st.sampled_from(sorted(CHANNELS)), st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True)
)
def test_a_topic_survives_its_text(data, channel, unit):
    from agent.contract.topics import level_patterns

    topic = Topic(unit, channel, tuple(data.draw(LEVELS[level]) for level in level_patterns(channel)))
    assert Topic.parse(str(topic)) == topic


@pytest.mark.parametrize(
    "text", ["hr/v1/u/u/dn/ack\n", "hr/v1/u/u/dn/call/k3v9q2m4x8t1", "hr/v1/u//dn/ack", "", "#"]
)
def test_what_only_resembles_a_topic_is_refused(text):
    with pytest.raises(ContractError):
        Topic.parse(text)


def test_an_oversized_body_is_refused_unread():
    with pytest.raises(ContractError, match="larger"):
        decode("hr/v1/u/unit-7/dn/ack", b"{" * (MAX_BODY_BYTES + 1))


def test_deep_nesting_is_refused():
    with pytest.raises(ContractError):
        decode("hr/v1/u/unit-7/dn/ack", b'{"data":' + b"[" * 100_000)


@given(VALUES)
def test_a_rejected_sessions_report_repeats_nothing_of_it(value):
    schedule = Schedule(
        epoch=0,
        valid_until=datetime(2026, 12, 1, tzinfo=UTC),
        salt="0f" * 16,
        sessions=({"sid": value, "ref": CANARY},),
    )
    good, bad = check_sessions(schedule)
    assert (good, len(bad)) == ((), 1)
    assert CANARY not in bad[0].model_dump_json()


def test_an_events_hash_is_the_one_that_the_region_computes():
    """Fixed, since a change of it would break every chain that is kept."""
    digest = event_hash(
        epoch=1,
        seq=2,
        prev="0" * 64,
        at="2026-11-22T08:00:00+00:00",
        kind="admitted",
        sid=None,
        fields={"b": 1, "a": 0.5},
    )
    assert digest == "21816327932c7c99b19fb1f234a6370e2f0a8256580604e3ea0451b0c8953fb8"
