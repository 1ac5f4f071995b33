"""What the agent itself knows: taken on the event loop, at once, without secrets and without persons."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic_core import from_json

from agent.config import Settings
from agent.config_kept import LEDGER_KEY
from agent.identity import Identity
from agent.session_state import OVER
from agent.survey import STORE_KEY as SURVEY_KEY
from agent.unit import Unit

_SECRET = re.compile(r"digest|secret|pin\b|password|token|salt|credential|private", re.IGNORECASE)
_OF_PEOPLE = frozenset({"staff"})
"""Labels may be first names: how many there are is enough."""
_PEM = "-----BEGIN"


def without_secrets(value: object, name: str = "") -> object:
    """The same shape with digests, keys and people's labels replaced by what may be said of them."""
    if isinstance(value, Mapping):
        return {key: without_secrets(inner, str(key)) for key, inner in value.items()}
    if name in _OF_PEOPLE and isinstance(value, list | tuple):
        return f"({len(value)} members of staff)"
    if value not in (None, "") and _SECRET.search(name):
        return "(set)"
    if isinstance(value, list | tuple):
        return [without_secrets(inner) for inner in value]
    if isinstance(value, str) and _PEM in value:
        return f"({value.count(_PEM)} certificates)"
    return value


def configuration(unit: Unit, settings: Settings) -> Mapping[str, Any]:
    """What the file says, what the region has set, and which revision is in force."""
    kept = unit.store.get(LEDGER_KEY)
    return {
        "settings": without_secrets(settings.model_dump(mode="json")),
        "region": without_secrets(from_json(kept)) if kept else None,
        "rev": unit.configuration.rev,
    }


def standing(unit: Unit, identity: Identity) -> Mapping[str, Any]:
    """How the unit is: room, last self-test, schedule by numbers alone, certificate, time, outbox."""
    room, survey = unit.room, unit.store.get(SURVEY_KEY)
    waiting = unit.outbox.pending()
    return {
        "unit": identity.unit,
        "certificate": {"sha256": identity.certificate_sha256, "not_after": identity.not_after.isoformat()},
        "room": {"state": str(room.state), "faults": list(room.faults), "tested_at": room.tested_at},
        "selftest": [
            {"probe": each.probe, "ok": each.ok, "figure": each.figure, "unit": each.unit}
            for each in unit.figures
        ],
        "encoder_survey": from_json(survey) if survey else None,
        "schedule": {
            "epoch": unit.snapshot.epoch,
            "rev": unit.snapshot.rev,
            "sessions": len(unit.snapshot.sessions),
            "in_memory": len(unit.sessions),
        },
        "clock": {"region": unit.clock.now().isoformat(), "learnt": unit.clock.is_learnt},
        "outbox": {
            "head": unit.outbox.head,
            "waiting": len(waiting),
            "oldest": waiting[0].at if waiting else None,
        },
        "broker_connected": unit.region.up,
    }


def words_of_persons(unit: Unit) -> Iterator[str]:
    """What may not be in a bundle: ids and refs of sessions, names that people gave themselves, what was said."""
    for plan in (*unit.snapshot.sessions, *(session.plan for session in unit.sessions.values())):
        yield plan.sid
        yield plan.ref
    for session in unit.sessions.values():
        if session.state not in OVER:
            yield from (party.peer for party in session.parties)
    view = unit.meeting.view()
    for name in view.names.values():
        yield from (text for text in (name.name, name.organisation) if text)
    yield from (caption.text for caption in view.captions)
    for member in unit.configuration.staff:
        yield member.label
