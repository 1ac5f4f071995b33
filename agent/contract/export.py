"""JSON Schemas and an AsyncAPI document, made from the models: `python -m agent.contract.export DIR`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from agent.contract.messages import CHANNELS, VERSION, Channel, Envelope
from agent.contract.schedule import ScheduledSession
from agent.contract.topics import address, level_patterns

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SCHEMA_FORMAT = "application/schema+json;version=draft-2020-12"
ASYNCAPI = "3.0.0"
Json = dict[str, Any]


def export(folder: Path) -> list[Path]:
    """Write one schema a channel and the AsyncAPI document; the same models give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    documents = {f"{schema_name(name)}.schema.json": schema(name) for name in CHANNELS}
    documents["envelope.schema.json"] = {"$schema": DIALECT, **_schema_of(TypeAdapter(Envelope))}
    documents["asyncapi.json"] = asyncapi()
    written = []
    for name, document in sorted(documents.items()):
        file = folder / name
        file.write_text(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
        written.append(file)
    return written


def schema_name(channel: str) -> str:
    """A channel's name where a slash cannot stand: `dn/call` is `dn-call`."""
    return channel.replace("/", "-")


def schema(channel: str) -> Json:
    """The JSON Schema of a whole message on a channel: the envelope, with the channel's body as `data`."""
    envelope = _schema_of(TypeAdapter(Envelope))
    body = _schema_of(CHANNELS[channel].body)
    definitions: Json = body.pop("$defs", {})
    if channel == "dn/schedule":
        # Its sessions are checked one by one, so that a bad one is rejected alone: the model says Any.
        session = _schema_of(TypeAdapter(ScheduledSession))
        definitions |= session.pop("$defs", {})
        definitions["ScheduledSession"] = session
        body["properties"]["sessions"]["items"] = {"$ref": "#/$defs/ScheduledSession"}
    properties = {**envelope["properties"], "data": body}
    return {
        "$schema": DIALECT,
        **envelope,
        "title": channel,
        "properties": properties,
        "$defs": definitions,
    }


def asyncapi() -> Json:
    """The AsyncAPI 3.0 document: channels with their addresses, messages and what the unit does with them."""
    channels, operations, messages = {}, {}, {}
    for name, channel in CHANNELS.items():
        key = schema_name(name)
        channels[key] = _channel(name)
        messages[key] = {
            "name": key,
            "contentType": "application/json",
            "payload": {"schemaFormat": SCHEMA_FORMAT, "schema": {"$ref": f"./{key}.schema.json"}},
        }
        operations[key] = {
            "action": "send" if name.startswith("up/") else "receive",
            "channel": {"$ref": f"#/channels/{key}"},
            "bindings": {"mqtt": _binding(channel)},
        }
    about = "Between a unit and its region. Operations are told from the unit's side."
    return {
        "asyncapi": ASYNCAPI,
        "info": {"title": "Hälsorum contract", "version": f"{VERSION}.0.0", "description": about},
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    }


def _channel(name: str) -> Json:
    patterns = level_patterns(name)
    parameters: Json = {level: {"description": f"Matches {pattern}"} for level, pattern in patterns.items()}
    who = "serial" if "{serial}" in address(name) else "unit"
    parameters[who] = {"description": "The name in the unit's certificate"}
    key = schema_name(name)
    return {
        "address": address(name),
        "messages": {key: {"$ref": f"#/components/messages/{key}"}},
        "parameters": parameters,
    }


def _binding(channel: Channel) -> Json:
    binding: Json = {"qos": 1, "retain": channel.retained, "bindingVersion": "0.2.0"}
    if channel.expiry_s is not None:
        binding["messageExpiryInterval"] = channel.expiry_s
    return binding


def _schema_of(adapter: TypeAdapter[Any]) -> Json:
    return adapter.json_schema(by_alias=True, mode="validation")


def main() -> int:
    """Export into the folder that is named on the command line."""
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m agent.contract.export DIR\n")
        return 2
    for file in export(Path(sys.argv[1])):
        sys.stdout.write(f"{file}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
