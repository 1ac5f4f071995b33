"""The sample messages, as the unit and the region both read them."""

from functools import cache

import pytest
from jsonschema import Draft202012Validator

from agent.contract import CHANNELS, ContractError, decode, encode
from agent.contract.export import schema
from agent.contract.samples import Sample, load

GOOD, BAD = load("ok"), load("bad")


@cache
def checks_of(channel: str) -> Draft202012Validator:
    exported = schema(channel)
    Draft202012Validator.check_schema(exported)
    return Draft202012Validator(exported)


def name_of(sample: Sample) -> str:
    return sample.name


@pytest.mark.parametrize("sample", GOOD, ids=name_of)
def test_a_good_sample_is_read_and_written_again_without_loss(sample):
    first = decode(sample.topic, sample.payload)
    second = decode(
        sample.topic, encode(first.data, now=first.ts, rev=first.rev, expires_at=first.expires_at)
    )
    assert (second.topic, second.ts, second.rev, second.expires_at, second.data) == (
        first.topic,
        first.ts,
        first.rev,
        first.expires_at,
        first.data,
    )


@pytest.mark.parametrize("sample", GOOD, ids=name_of)
def test_a_good_sample_fits_the_exported_schema(sample):
    checks_of(decode(sample.topic, sample.payload).topic.channel).validate(sample.message)


@pytest.mark.parametrize("sample", BAD, ids=name_of)
def test_a_bad_sample_is_refused_by_the_field(sample):
    with pytest.raises(ContractError) as caught:
        decode(sample.topic, sample.payload)
    assert caught.value.field == sample.field


def test_every_channel_has_a_good_sample():
    assert {decode(sample.topic, sample.payload).topic.channel for sample in GOOD} == set(CHANNELS)
