"""The contract between unit and region (v1): topics, messages, their schemas and samples."""

from agent.contract.body import MAX_BODY_BYTES, Body, ContractError
from agent.contract.messages import CHANNELS, VERSION, Message, decode, encode
from agent.contract.topics import PREFIX, Topic, down_filter, up_filter

__all__ = [
    "CHANNELS",
    "MAX_BODY_BYTES",
    "PREFIX",
    "VERSION",
    "Body",
    "ContractError",
    "Message",
    "Topic",
    "decode",
    "down_filter",
    "encode",
    "up_filter",
]
