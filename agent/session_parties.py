"""What the others in a meeting do to a session: they join, lead, show, hold, leave. Pure; see agent/session.py."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from agent.contract.signalling import UNIT_PEER
from agent.screen import PartyState
from agent.session_events import (
    Admitted,
    ChairMoved,
    Connect,
    Disconnect,
    Effect,
    Held,
    HoldMedia,
    LobbyChanged,
    PartyConnected,
    PartyJoined,
    PartyLeft,
    PartyLost,
    Record,
    SharingChanged,
    ShowTo,
)
from agent.session_state import Party, Session, page_of

Result = tuple[Session, tuple[Effect, ...]]


def _with_party(session: Session, party: Party) -> Session:
    others = tuple(other for other in session.parties if other.peer != party.peer)
    return replace(session, parties=(*others, party))


def _mark(session: Session, peer: str, state: PartyState) -> Session:
    party = session.party(peer)
    return session if party is None else _with_party(session, replace(party, state=state))


def _alone_if_nobody(session: Session, now: datetime) -> Session:
    if session.someone_connected:
        return session
    return replace(session, alone_since=session.alone_since or now)


def _role(session: Session, peer: str) -> str:
    party = session.party(peer)
    return party.role if party else ""


def join(session: Session, event: PartyJoined, _now: datetime) -> Result:
    """A page was opened, or what a party shows has a connection of its own now."""
    party = event.party
    if party.is_person:
        record = Record("peer_joined", (("role", party.role), ("identified", party.identified)))
        session = _led_from_afar(session) if party.chair else session
    else:
        party, record = replace(party, chair=False), Record("share_began", (("role", party.role),))
    return _with_party(session, party), (record,)


def _led_from_afar(session: Session) -> Session:
    """A party has the chair: then staff in the room have it no longer, whatever was missed."""
    return replace(session, chair_here=False)


def join_in_call(session: Session, event: PartyJoined, now: datetime) -> Result:
    """As join, and a connection is built."""
    known = session.party(event.party.peer)
    session, effects = join(session, event, now)
    session = _alone_if_nobody(_mark(session, event.party.peer, "connecting"), now)
    if session.asked_at is not None and event.party.is_person:
        # Somebody is coming back: it must not end before their connection is up.
        session = replace(session, asked_at=None, touched_at=now)
    # A page that asks for another offer may still be connected, at least one way: that goes on meanwhile.
    if known is not None and page_of(known.instance) == page_of(event.party.instance):
        return session, (Connect(event.party.peer),)
    drop = (Disconnect(event.party.peer),) if known else ()
    return session, (*effects, *drop, Connect(event.party.peer))


def update(session: Session, event: PartyJoined, _now: datetime) -> Result:
    """The same page leads now, or no longer sees: nothing is built anew for it."""
    told, known = event.party, session.party(event.party.peer)
    if known is None:
        return session, ()
    party = replace(known, chair=told.chair and known.is_person, sees=told.sees)
    effects: tuple[Effect, ...] = ()
    if party.chair and not known.chair:
        session = _led_from_afar(session)
        effects += (Record("chair_changed", (("to", party.role),)),)
    if party.sees != known.sees:
        effects += (ShowTo(party.peer, party.sees),)
    return _with_party(session, party), effects


def admit(session: Session, event: Admitted, now: datetime) -> Result:
    """The chair lets the patient in: everybody is connected."""
    chair = session.party(event.peer)
    role = chair.role if chair else "clinician"
    connects = tuple(Connect(party.peer) for party in session.parties)
    parties = tuple(replace(party, state="connecting") for party in session.parties)
    session = replace(session, parties=parties, alone_since=now)
    return session, (Record("admitted", (("by", role),)), *connects)


def connected(session: Session, event: PartyConnected, now: datetime) -> Result:
    """Media flows; with the first the call has begun."""
    began = session.began_at is None
    record = Record("peer_connected", (("role", _role(session, event.peer)),))
    session = replace(
        _mark(session, event.peer, "connected"), alone_since=None, began_at=session.began_at or now
    )
    session = replace(session, touched_at=None, asked_at=None)
    return session, ((Record("call_started"), record) if began else (record,))


def show(session: Session, event: PartyConnected, _now: datetime) -> Result:
    """What a party shows has come: nobody is in the meeting by that."""
    return _mark(session, event.peer, "connected"), ()


def lost(session: Session, event: PartyLost, now: datetime) -> Result:
    """Media stopped, or never came: it is tried again."""
    party = session.party(event.peer)
    session = _alone_if_nobody(_mark(session, event.peer, "lost"), now)
    if party is None or party.state == "lost" or not party.is_person:
        return session, (Connect(event.peer),)  # told once, however often it is tried again
    return session, (Record("peer_lost", (("role", party.role),)), Connect(event.peer))


def left(session: Session, event: PartyLeft, now: datetime) -> Result:
    """One goes, and with them what they show."""
    gone = [party for party in session.parties if event.peer in (party.peer, party.share_of)]
    session = replace(session, parties=tuple(party for party in session.parties if party not in gone))
    session = _alone_if_nobody(session, now)
    effects: list[Effect] = []
    for party in gone:
        reason = (("reason", event.reason),) if party.is_person else ()
        effects.append(
            Record("peer_left" if party.is_person else "share_ended", (("role", party.role), *reason))
        )
        effects.append(Disconnect(party.peer))
    return session, tuple(effects)


def left_before(session: Session, event: PartyLeft, now: datetime) -> Result:
    """As left, while the patient is not in a call and therefore not alone in one."""
    session, effects = left(session, event, now)
    return replace(session, alone_since=None), effects


def hold(session: Session, event: Held, _now: datetime) -> Result:
    """The patient waits alone for a moment; or the meeting goes on."""
    role = (("by", _role(session, event.peer)),)
    kind = "hold_began" if event.on else "hold_ended"
    return replace(session, on_hold=event.on), (Record(kind, role), HoldMedia(event.on))


def move_chair(session: Session, event: ChairMoved, _now: datetime) -> Result:
    """Another leads. Staff in the room cannot put themselves on hold: with them, it ends."""
    here = event.holder == UNIT_PEER
    parties = tuple(
        replace(party, chair=party.is_person and party.peer == event.holder) for party in session.parties
    )
    session = replace(session, parties=parties, chair_here=here)
    to = "staff" if here else _role(session, event.holder)
    effects: tuple[Effect, ...] = (Record("chair_changed", (("to", to),)),)
    if here and session.on_hold:
        session = replace(session, on_hold=False)
        effects += (Record("hold_ended", (("by", to),)), HoldMedia(False))
    return session, effects


def change_lobby(session: Session, event: LobbyChanged, _now: datetime) -> Result:
    """Others wait outside than before."""
    return replace(session, lobby=event.waiting), ()


def change_sharing(session: Session, event: SharingChanged, _now: datetime) -> Result:
    """Screens may be shown, or no longer; what is shown then, the region ends."""
    return replace(session, sharing=event.on), (Record("sharing_changed", (("on", event.on),)),)
