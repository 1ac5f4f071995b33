"""What holds for a session whatever happens to it, in whatever order."""

from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from agent import session_events as ev
from agent.contract.schedule import Features, Party, ScheduledSession
from agent.session import OCCUPYING, OVER, step
from agent.session_state import Party as Remote
from agent.session_state import Session, State

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PEERS = st.sampled_from(["aaaa", "bbbb", "cccc"])
PARTIES = st.builds(
    Remote,
    PEERS,
    st.sampled_from(["clinician", "interpreter"]),
    st.just("account"),
    chair=st.booleans(),
    instance=st.sampled_from(["one", "two"]),
)
EVENTS = st.one_of(
    st.builds(ev.RoomChecked, st.booleans()),
    st.builds(ev.CheckedIn, st.sampled_from(["code", "staff"])),
    st.builds(ev.PartyJoined, PARTIES),
    st.builds(ev.Admitted, PEERS),
    st.builds(ev.PartyConnected, PEERS),
    st.builds(ev.PartyLost, PEERS),
    st.builds(ev.PartyLeft, PEERS, st.sampled_from(["left", "lost", "replaced"]), st.booleans()),
    st.just(ev.PatientLeft()),
    st.just(ev.Cancelled()),
    st.just(ev.ResumeConfirmed()),
    st.just(ev.ResumeRefused("over")),
    st.just(ev.MediaFailed("camera")),
    st.builds(ev.Tick, st.booleans()),
)


class SessionMachine(RuleBasedStateMachine):
    """Drives one session as the shell does, with a pretended camera."""

    def __init__(self):
        super().__init__()
        plan = ScheduledSession.model_construct(
            sid="k3v9q2m4x8t1",
            ref="A17",
            start=START,
            end=START + timedelta(minutes=30),
            party=Party(clinic="Norra"),
            features=Features(),
        )
        self.now = START - timedelta(minutes=30)
        self.session = Session(plan)
        self.media_open = False
        self.connected = set()
        self.wiped = False

    def move(self, event):
        was = self.session
        self.session, effects = step(was, event, self.now)
        for effect in effects:
            self.do(effect)
        if was.state == State.WIPED:
            assert self.session == was
            assert effects == ()
        if was.state in OVER:
            assert self.session.state in OVER
        assert not self.media_open or (self.session.state in OCCUPYING and self.session.confirmed)
        assert not self.connected or self.media_open
        assert self.connected <= {party.peer for party in self.session.parties}

    def do(self, effect):
        match effect:
            case ev.OpenMedia():
                assert self.session.state in OCCUPYING
                self.media_open = True
            case ev.CloseMedia():
                self.media_open = False
                self.connected.clear()
            case ev.Connect(peer):
                assert self.session.state in {State.ADMITTED, State.IN_CALL}
                assert self.session.confirmed
                assert self.media_open
                self.connected.add(peer)
            case ev.Disconnect(peer):
                self.connected.discard(peer)
            case ev.Wipe():
                assert not self.media_open
                assert self.session.state in OVER
                self.wiped = True

    @rule(event=EVENTS)
    def happens(self, event):
        self.move(event)

    @rule(minutes=st.sampled_from([1, 10, 20, 120]))
    def time_passes(self, minutes):
        self.now += timedelta(minutes=minutes)
        self.move(ev.Tick())

    @rule(waiting_room=st.booleans(), shift=st.sampled_from([0, 60, 24 * 60]))
    def is_replanned(self, waiting_room, shift):
        plan = self.session.plan
        times = {"start": START + timedelta(minutes=shift), "end": START + timedelta(minutes=shift + 30)}
        self.move(
            ev.Replanned(plan.model_copy(update={"features": Features(waiting_room=waiting_room), **times}))
        )

    @rule(away=st.sampled_from([1, 119, 120, 7200]))
    def agent_is_killed(self, away):
        self.media_open = False
        self.connected.clear()
        self.now += timedelta(seconds=away)
        self.move(ev.Restarted(timedelta(seconds=away)))

    @precondition(lambda self: self.wiped)
    @rule()
    def is_wiped(self):
        self.move(ev.Wiped())
        assert self.session.state == State.WIPED


TestSession = SessionMachine.TestCase
TestSession.settings = settings(stateful_step_count=20)
