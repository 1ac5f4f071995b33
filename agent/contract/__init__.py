"""The contract between unit and region (v1): topics, messages, their schemas and samples."""

from agent.contract.body import MAX_BODY_BYTES, Body, ContractError
from agent.contract.messages import CHANNELS, VERSION, Message, decode, encode
from agent.contract.topics import (
    BOOTSTRAP_PREFIX,
    PREFIX,
    Topic,
    bootstrap_down_filter,
    bootstrap_up_filter,
    down_filter,
    up_filter,
)

__all__ = [
    "BOOTSTRAP_PREFIX",
    "CHANNELS",
    "MAX_BODY_BYTES",
    "PREFIX",
    "VERSION",
    "Body",
    "ContractError",
    "Message",
    "Topic",
    "bootstrap_down_filter",
    "bootstrap_up_filter",
    "decode",
    "down_filter",
    "encode",
    "up_filter",
]
