"""The unit: what it believes, and how events move it. The shell around the pure machines; on the event loop.

State goes down, intents and facts come up, and only `session` and `room` decide: everything here either
feeds them an event or does one of their effects.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta

from agent import room as rooms
from agent import selftest_plan
from agent import session_events as ev
from agent.alive import Stall
from agent.config import Configuration
from agent.contract.events import Intent
from agent.feedback import KEY as FEEDBACK_KEY
from agent.feedback import Feedback
from agent.help_calls import KEY as HELP_KEY
from agent.help_calls import HelpCalls
from agent.idle_notice import IdleNotice
from agent.lights import Lights, lights
from agent.media.peer_use import PeerUse
from agent.meeting import Meeting
from agent.memory import Fields, Memory
from agent.outbox import Outbox
from agent.region_clock import RegionClock
from agent.schedule import Snapshot
from agent.screen import AskedPage, EnrolView, Figure, Screen
from agent.screen_of_unit import view_of
from agent.screen_view import ENDED_SHOWN, screen
from agent.session import OCCUPYING, OVER, Session, State, step
from agent.staff import LOCKS, PLACE, Desk, Locks, Place, still_waits
from agent.store import Store
from agent.unit_parts import Media, Region, Scan, Sound, Tests
from agent.verdict import Verdict

log = logging.getLogger(__name__)

DROPIN_WITHIN = timedelta(seconds=60)
"""A drop-in that the region books later than this after it was asked for waits for staff to check it in."""
ALIVE_EVERY_S = 10.0
"""How often a session in the room marks that the agent is alive; a restart measures its absence from it."""
IDLE_ALIVE_EVERY_S = 3600.0
"""And how often an empty room does, so that a restart knows the region's time: however old the mark is, what has
passed since is counted by the machine, until it boots."""


class Unit:
    """All that one unit believes. `on_change` is called with the screen whenever it may look different."""

    media: Media
    region: Region
    tests: Tests
    scan: Scan | None = None
    sound: Sound | None = None

    def __init__(
        self, *, store: Store, clock: RegionClock, outbox: Outbox, configuration: Configuration
    ) -> None:
        self.store = store
        self.clock = clock
        self.outbox = outbox
        self.memory = Memory(store, outbox, clock)
        self.configuration = configuration
        self.complete_languages: Collection[str] = configuration.languages
        """In which the screen's pages can say everything; whoever joins unit and pages sets it."""
        self.speech: tuple[str, ...] = ()
        """In which the unit can speak the screen's texts."""
        self.room = rooms.Room()
        self.snapshot = Snapshot()
        self.sessions: dict[str, Session] = {}
        kept_locks = store.get("locks")
        self.locks = LOCKS.validate_json(kept_locks) if kept_locks else Locks()
        kept_place = store.get("queue")
        self.desk = Desk(place=PLACE.validate_json(kept_place) if kept_place else None)
        self.figures: tuple[Figure, ...] = ()
        self.verdicts: tuple[Verdict, ...] = ()
        """Of the last self-test that came to its end."""
        self.camera_is_right: Callable[[], None] = lambda: None
        """Staff say that the camera points where it shall; whoever looks through it sets it."""
        self.sound_is_right: Callable[[], None] = lambda: None
        """The same of how loud the room's sound is."""
        self.at_night = selftest_plan.NIGHT
        self.test_within = rooms.TEST_TIMEOUT
        """When the room tests itself where IT has set no times; whoever knows the unit's name sets it."""
        self.notes: dict[str, tuple[str, ...]] = {}
        """What is not well though the room can be used: by the instruction's key, which parts."""
        self.enrol: EnrolView | None = None
        """While it asks for another certificate, in place of one that has expired."""
        self.dropin_asked_at: datetime | None = None
        self.dropin_by: str | None = None
        self.language: str | None = None
        self.meeting = Meeting(int(clock.now().timestamp()))
        self.on_change: Callable[[Screen], None] = lambda _screen: None
        self.on_lights: Callable[[Lights], None] = lambda _lights: None
        self.on_released: Callable[[], None] = lambda: None
        """The patient has left, and nothing of the session is wiped yet."""
        self.present: Callable[[], bool | None] = lambda: None
        self.asked_page: AskedPage | None = None
        self.help = HelpCalls(
            self.memory,
            kept=store.get(HELP_KEY),
            now=clock.now,
            monotonic_s=clock.monotonic_s,
            record=self.record,
            intend=self._intend,
            is_up=lambda: self.region.up,
        )
        self.screens: Callable[[], int] = lambda: 0
        self.ice_urls: Callable[[], tuple[str, ...]] = tuple
        self.feedback = Feedback(self.memory, store.get(FEEDBACK_KEY), self.record)
        self.idle = IdleNotice(self.memory, store)
        self._ended: tuple[Session, datetime] | None = None
        self._alive_at = float("-inf")

    def resume(self, boot: int, *, stalled: Stall | None = None, storage: str = "ok") -> None:
        """Take up what the store holds from before the start.

        stalled: what the last run was ended for. storage: how the store was found.
        """
        away = self.memory.recall_time()
        started: Fields = {"boot": boot}
        if stalled is not None:
            started |= {"stalled": stalled.part, "reason": stalled.reason}
        if storage != "ok":
            started["storage"] = storage
        self.record("unit_started", None, started)
        # First the snapshot, since wiping what was left unwiped writes it again.
        self.snapshot = self.memory.snapshot()
        for session in self.memory.sessions():
            self.sessions[session.plan.sid] = session
            if session.state in OCCUPYING:
                self._room_event(rooms.Taken(session.plan.sid))
            self.session_event(session.plan.sid, ev.Restarted(away))
        self.replace_snapshot(self.snapshot)

    def replace_snapshot(self, snapshot: Snapshot) -> None:
        """Hold and keep a new schedule: new sessions appear, changed ones move, missing ones are cancelled.

        What is over here does not come back by a snapshot that does not know it yet.
        """
        coming = tuple(plan for plan in snapshot.sessions if not self.store.is_finished(plan.sid))
        self.snapshot = replace(snapshot, sessions=coming)
        self.memory.keep_snapshot(self.snapshot)
        planned = {plan.sid: plan for plan in coming}
        for sid, plan in planned.items():
            known = self.sessions.get(sid)
            if known is None:
                self.sessions[sid] = Session(plan, degraded=not self.room.ready)
            elif known.plan != plan:
                self.session_event(sid, ev.Replanned(plan))
        for sid in [sid for sid in self.sessions if sid not in planned]:
            self.session_event(sid, self._why_gone(sid))
        self._take_dropin()
        self.tick()

    def _why_gone(self, sid: str) -> ev.Event:
        handing = self.desk.handing
        if handing is not None and handing.sid == sid:
            return ev.HandedOver(handing.room, handing.by)
        return ev.Cancelled()

    def wait_in_queue(self, place: Place | None) -> None:
        """The room waits in a queue for a clinician, or no longer; a restart remembers it."""
        if (place and replace(place, place=None)) != (
            self.desk.place and replace(self.desk.place, place=None)
        ):
            self.memory.keep("queue", PLACE.dump_json(place and replace(place, place=None)))
        self.desk = replace(self.desk, place=place)

    def _take_dropin(self) -> None:
        """The session that staff asked for begins at once: its patient sits here."""
        if self.held() is not None:
            return
        if self.desk.place is not None and still_waits(self.desk.place, self.clock.now()):
            self._take_from_queue(self.desk.place)
            return
        asked = self.dropin_asked_at
        if asked is None:
            return
        self.dropin_asked_at = None
        for sid, session in list(self.sessions.items()):
            if session.plan.kind == "dropin" and session.state in {State.BOOKED, State.READY}:
                if self.clock.now() - asked < DROPIN_WITHIN:
                    self.session_event(sid, ev.CheckedIn("staff", self.dropin_by))
                return
        self.dropin_asked_at = asked  # another change of the schedule came first

    def _take_from_queue(self, place: Place) -> None:
        for sid, session in list(self.sessions.items()):
            if session.plan.kind == "dropin" and session.state in {State.BOOKED, State.READY}:
                self.wait_in_queue(None)
                self.session_event(sid, ev.CheckedIn("staff", place.by))
                return

    def session_event(self, sid: str, event: ev.Event) -> None:
        """Move one session, keep it, and do what follows."""
        session = self.sessions.get(sid)
        if session is None:
            return
        moved, effects = step(session, event, self.clock.now())
        if moved != session:
            self.sessions[sid] = moved
            self.memory.keep_session(session, moved)
        for effect in effects:
            if isinstance(effect, ev.Record):
                self.memory.add_fact(effect.kind, sid, dict(effect.fields))
        self._save()
        if moved.state != session.state:
            state = moved.state.value
            log.info("session %s -> %s", session.state.value, state, extra={"halsorum_state": state})
            self._follow_in_room(session, moved)
        self.meeting.follow(session, moved, self.clock.now())
        for effect in effects:
            self._do(sid, effect)
        if moved != session:
            self.changed()

    def room_event(self, event: rooms.Event) -> None:
        """Move the room, and tell the sessions about to begin how it is."""
        before = self.room
        self._room_event(event)
        if self.room == before:
            return
        if self.room.ready != before.ready or isinstance(event, rooms.TestDone):
            for sid in list(self.sessions):
                self.session_event(sid, ev.RoomChecked(self.room.ready))
        self.changed()

    def tick(self) -> None:
        """Let a second pass."""
        self._save()
        for sid in list(self.sessions):
            self.session_event(sid, ev.Tick(self.clock.is_sure))
        self.room_event(self._time_of_tests())
        if self._ended is not None and self.clock.now() >= self._ended[1] + ENDED_SHOWN:
            self._forget_ended()
        self.meeting.tick(self.clock.now())
        self.media.tick()
        self.help.tick()
        self.feedback.tick(self.clock.now().date())
        self._tick_room_parts()
        self._mark_alive()
        self.changed()

    def _time_of_tests(self) -> rooms.Tick:
        plan = self.configuration.selftest
        tick = selftest_plan.tick(plan, self._starts(), self.clock.now(), self.at_night)
        return replace(tick, within=self.test_within)

    def _tick_room_parts(self) -> None:
        if self.scan is not None:
            self.scan.tick()
        if self.sound is not None and self.held() is None:
            self.sound.reset()

    def next_start(self) -> datetime | None:
        """When the next session begins that nobody has checked in to."""
        return min(self._starts(), default=None)

    def _starts(self) -> list[datetime]:
        return [s.plan.start for s in self.sessions.values() if s.state in {State.BOOKED, State.READY}]

    def held(self) -> Session | None:
        """The session whose patient is in the room."""
        return next((s for s in self.sessions.values() if s.state in OCCUPYING), None)

    def record(self, kind: str, sid: str | None, fields: Fields | None = None) -> None:
        """Add a fact to the outbox and have it sent."""
        self.memory.add_fact(kind, sid, fields or {})
        self._save()

    def keep_locks(self) -> None:
        """The pauses survive a kill."""
        self.memory.keep("locks", LOCKS.dump_json(self.locks))

    def touched(self) -> None:
        """Somebody is at the screen: what stood there of the last one need stand no longer."""
        for sid, session in list(self.sessions.items()):
            if session.was_rejected or session.alone_since is not None:
                self.session_event(sid, ev.Touched())

    @property
    def ended_sid(self) -> str | None:
        """The session whose end is shown now."""
        return self._ended[0].plan.sid if self._ended else None

    def dismiss_ended(self) -> None:
        """Show the idle page again."""
        self._forget_ended()
        self.changed()

    def _forget_ended(self) -> None:
        self._ended = None
        self.feedback.forget()

    def screen(self) -> Screen:
        """What the touchscreen shows now."""
        return screen(view_of(self, self._ended))

    def changed(self) -> None:
        """Show it, light it, say it."""
        self.on_change(self.screen())
        self.on_lights(lights(self))
        self.region.state_changed()

    def note(self, instruction: str, parts: Collection[str]) -> None:
        """Say that these parts are not well, or with none that all are; no fault of the room, which goes on."""
        others = {name: noted for name, noted in self.notes.items() if name != instruction}
        noted = {**others, instruction: tuple(parts)} if parts else others
        if noted != self.notes:
            self.notes = noted
            self.changed()

    def _room_event(self, event: rooms.Event) -> None:
        self.room, effects = rooms.step(self.room, event, self.clock.now())
        for effect in effects:
            match effect:
                case rooms.RunSelfTest(occasion):
                    self.tests.start(occasion)
                case rooms.StopSelfTest():
                    self.tests.stop()

    def _follow_in_room(self, before: Session, after: Session) -> None:
        sid = after.plan.sid
        if before.state not in OCCUPYING and after.state in OCCUPYING:
            self._forget_ended()
            self.help.patient_came(sid)
            self._room_event(rooms.Taken(sid))
            if self.scan is not None:
                self.scan.close()
        elif before.state in OCCUPYING and after.state not in OCCUPYING:
            self._room_event(rooms.Released(sid))
            self.help.patient_went()
            self.on_released()
            self.language = None
            if after.state in OVER:
                self._ended = (replace(after, parties=()), self.clock.now())

    def _save(self) -> None:
        if self.memory.save():
            self.region.event_added()

    def _mark_alive(self) -> None:
        now_s = self.clock.monotonic_s()
        every_s = ALIVE_EVERY_S if self.held() is not None else IDLE_ALIVE_EVERY_S
        if now_s - self._alive_at >= every_s:
            self._alive_at = now_s
            self.memory.keep_time()

    def _do(self, sid: str, effect: ev.Effect) -> None:
        match effect:
            case ev.OpenMedia():
                self.media.open()
            case ev.CloseMedia():
                self.media.close()
            case ev.Connect(peer):
                session = self.sessions.get(sid)
                party = session.party(peer) if session else None
                if party is not None:
                    use = PeerUse(sees=party.sees, only_shows=not party.is_person)
                    self.media.connect(peer, party.ice_servers, use)
            case ev.Disconnect(peer):
                self.media.disconnect(peer)
            case ev.ShowTo(peer, sees):
                self.media.show_to(peer, sees)
            case ev.HoldMedia(on):
                self.media.hold(on)
            case ev.SayBye(reason):
                self.region.say_bye(sid, reason)
            case ev.AskResume():
                self.region.ask_resume(sid)
            case ev.Wipe():
                self._wipe(sid)

    def _intend(self, kind: str, intent: Intent) -> bool:
        return self.region.intent(kind, intent)

    def _wipe(self, sid: str) -> None:
        """Leave nothing of the session: not in the store, not in the schedule's copy, not in memory."""
        session = self.sessions[sid]
        wiped, effects = step(session, ev.Wiped(), self.clock.now())
        rest = tuple(plan for plan in self.snapshot.sessions if plan.sid != sid)
        snapshot = replace(self.snapshot, sessions=rest)
        if not self.memory.wipe(session, snapshot, [e for e in effects if isinstance(e, ev.Record)]):
            return  # the next tick tries again
        self.snapshot = snapshot
        del self.sessions[sid]
        self.region.forget(sid)
        self.region.event_added()
        log.info("session %s -> %s", session.state.value, wiped.state.value)
