"""The exported documents: complete, the same each time, and leading nowhere that is not there."""

import json

import pytest

from agent.contract import CHANNELS
from agent.contract.export import export, schema_name


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    export(folder)
    return folder


def test_it_writes_a_schema_for_each_channel_and_the_same_bytes_each_time(exported, tmp_path):
    first = {file.name: file.read_bytes() for file in exported.iterdir()}
    second = {file.name: file.read_bytes() for file in export(tmp_path)}
    assert first == second
    assert set(first) >= {f"{schema_name(name)}.schema.json" for name in CHANNELS} | {"asyncapi.json"}


def test_the_asyncapi_documents_references_lead_somewhere(exported):
    document = json.loads((exported / "asyncapi.json").read_text())
    references = list(_references(document))
    assert len(references) == 3 * len(CHANNELS)
    for reference in references:
        if reference.startswith("#/"):
            place = document
            for part in reference[2:].split("/"):
                place = place[part]
        else:
            assert (exported / reference).is_file()


def test_the_document_says_what_is_retained_and_what_expires(exported):
    operations = json.loads((exported / "asyncapi.json").read_text())["operations"]
    assert operations["dn-schedule"]["action"] == "receive"
    assert operations["dn-schedule"]["bindings"]["mqtt"]["retain"] is True
    assert operations["up-call"]["bindings"]["mqtt"]["messageExpiryInterval"] == 30


def _references(node):
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)
