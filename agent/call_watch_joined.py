"""The eyes and ears of a call, joined to what has them and to those who are told. On the event loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from agent.call_watch import CallWatch, Over, Told, What
from agent.call_watch_facts import CallFacts, Now, Other
from agent.contract.instructions import INSTRUCTIONS
from agent.room import FaultFound
from agent.session_state import Party, Session, State
from agent.unit import Unit

if TYPE_CHECKING:
    from agent.media.call import Call
    from agent.media.capture import Capture

Message = Mapping[str, object]
NOTHING = Told()


class Calls(Protocol):
    """The media side (agent/call_control.py)."""

    microphone: bool
    camera: bool

    @property
    def call(self) -> Call | None: ...
    @property
    def capture(self) -> Capture | None: ...
    def tell(self, message: Message, peer: str | None = None) -> None: ...


class WatchedCall:
    """One per unit, ticked once a second.

    Pages are told with `{"type": "warning", "what": …}`, where an empty `what` is that all is well. A note to
    staff that still stands when the call ends makes the room test itself before somebody else is let in.
    """

    def __init__(self, unit: Unit, calls: Calls) -> None:
        self._unit = unit
        self._calls = calls
        self._watch = CallWatch()
        self._facts = CallFacts()
        self._told = NOTHING
        self._sid = ""
        self._states: dict[str, tuple[bool, bool]] = {}
        self._still: frozenset[str] = frozenset()
        self._left: frozenset[str] = frozenset()
        unit.on_released = self.over

    def party_says(self, _session: Session, party: Party, message: Message) -> None:
        """`state {microphone, camera}`: what that party's page has on."""
        self._states[party.peer] = (
            message.get("microphone") is not False,
            message.get("camera") is not False,
        )

    def stands_still(self, peers: frozenset[str]) -> None:
        """The parties whose picture stands still on the touchscreen, all of them."""
        self._still = peers

    def greet(self, peer: str) -> None:
        """A page's connection has come up: how it is, whatever the page was told on one before."""
        self._tell(peer, self._told.parties.get(peer))

    def tick(self) -> None:
        """Look at the call, and tell what is new."""
        now = self._unit.clock.monotonic_s()
        session = self._unit.held()
        call, capture = self._calls.call, self._calls.capture
        sid = session.plan.sid if session is not None and session.state == State.IN_CALL else ""
        if sid != self._sid:
            self.over()
            self._sid = sid
        self._give_to_room()
        if session is None or not sid or call is None or capture is None:
            return
        here = [party for party in session.parties if party.state == "connected" and party.is_person]
        self._states = {
            peer: state for peer, state in self._states.items() if session.party(peer) is not None
        }
        moment = Now(
            capture.stats(),
            microphone=self._calls.microphone,
            camera=self._calls.camera,
            others=self._others(here, call),
        )
        # Alone, or on hold: nobody is to hear or see anybody.
        wrong = self._facts.judge(moment) if here and not session.on_hold else {}
        self._record(self._watch.look(now, wrong))
        self._say(self._watch.told(now, {party.peer: party.leads for party in here}))

    def _others(self, here: list[Party], call: Call) -> dict[str, Other]:
        stats = call.stats().peers
        others = {}
        for party in here:
            if party.peer in stats:
                microphone, camera = self._states.get(party.peer, (None, None))
                is_still = party.peer in self._still
                others[party.peer] = Other(stats[party.peer], party.sees, microphone, camera, is_still)
        return others

    def over(self) -> None:
        """The call has ended: its events are told before the session is wiped."""
        if self._sid:
            self._record(self._watch.close(self._unit.clock.monotonic_s()))
            self._left |= self._told.notes
            self._say(NOTHING)
            self._states.clear()
            self._still = frozenset()
        self._sid = ""
        self._facts = CallFacts()

    def _give_to_room(self) -> None:
        left, self._left = self._left, frozenset()
        for note in left:
            self._unit.room_event(FaultFound(note))

    def _record(self, ended: tuple[Over, ...]) -> None:
        for over in ended:
            fields = {"what": over.what, "seconds": over.seconds, "who": over.who}
            self._unit.record("call_warning", self._sid, fields)

    def _say(self, told: Told) -> None:
        before, self._told = self._told, told
        for peer in before.parties.keys() | told.parties.keys():
            if before.parties.get(peer) != told.parties.get(peer):
                self._tell(peer, told.parties.get(peer))
        for note in before.notes ^ told.notes:
            self._unit.note(note, (INSTRUCTIONS[note].probe,) if note in told.notes else ())
        if told.patient != before.patient:
            self._unit.meeting.warning = told.patient or ""
            self._unit.changed()

    def _tell(self, peer: str, what: What | None) -> None:
        self._calls.tell({"type": "warning", "what": what or ""}, peer)
