"""What two pages of a meeting say to each other about the connection between them: passed on, never kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from provisioning.bucket import Bucket
from provisioning.meetings import Meeting, OpenParty
from provisioning.telling import Telling
from web.clinic.services import Refused

AT_ONCE, PER_S = 40, 10
"""From one page to one other: an offer or answer and its candidates, and soon after that another try."""
_FIELDS = ("kind", "attempt", "sdp", "candidate", "sdp_mid", "sdp_m_line_index")


def pass_on(
    meeting: Meeting, sender: OpenParty, message: Mapping[str, Any], now: datetime, telling: Telling
) -> None:
    """Hand a message to the page it is for; raises Refused. To one that is gone for a moment it is lost."""
    receiver = meeting.parties.get(str(message.get("to")))
    if receiver is None or receiver is sender or receiver.over:
        raise Refused("to", "is not in the meeting")
    bucket = sender.to_pages.setdefault(receiver.peer, Bucket(AT_ONCE, PER_S))
    if not bucket.takes(now):
        raise Refused("message", "comes too often")
    told = {"type": "mesh", "from": sender.peer, **{name: message.get(name) for name in _FIELDS}}
    if told["kind"] == "offer":
        told |= {"ice_servers": telling.servers(), "ice_transport_policy": telling.ice_transport_policy}
    receiver.feed.put(told)
