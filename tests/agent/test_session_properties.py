"""What holds for a session whatever happens to it, in whatever order."""

from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from agent import session_events as ev
from agent.contract.schedule import Features, Party, ScheduledSession
from agent.contract.signalling import Knock
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
    sees=st.booleans(),
)
SHARES = st.builds(
    Remote,
    st.sampled_from(["dddd", "eeee"]),
    st.just("clinician"),
    st.just("account"),
    chair=st.booleans(),
    instance=st.sampled_from(["one", "two"]),
    share_of=PEERS,
)
EVERYBODY = st.sampled_from(["aaaa", "bbbb", "cccc", "dddd", "eeee"])
KNOCK = Knock(peer="ffff", role="relative", identified="link")
EVENTS = st.one_of(
    st.builds(ev.RoomChecked, st.booleans()),
    st.builds(ev.CheckedIn, st.sampled_from(["code", "staff"])),
    st.builds(ev.PartyJoined, PARTIES),
    st.builds(ev.PartyJoined, SHARES),
    st.builds(ev.Admitted, EVERYBODY),
    st.builds(ev.Held, EVERYBODY, st.booleans()),
    st.builds(ev.Rejected, EVERYBODY),
    st.just(ev.Touched()),
    st.builds(ev.ChairMoved, st.sampled_from(["aaaa", "bbbb", "dddd", "unit"])),
    st.builds(ev.LobbyChanged, st.sampled_from([(), (KNOCK,)])),
    st.builds(ev.SharingChanged, st.booleans()),
    st.builds(ev.PartyConnected, EVERYBODY),
    st.builds(ev.PartyLost, EVERYBODY),
    st.builds(ev.PartyLeft, EVERYBODY, st.sampled_from(["left", "lost", "replaced"]), st.booleans()),
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
        self.held = False

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
        self.leads_as_it_should(was, event)

    def leads_as_it_should(self, was, event):
        now = self.session
        assert not any(party.chair or party.leads for party in now.parties if not party.is_person)
        assert self.held == (self.media_open and now.on_hold)
        assert not now.on_hold or now.state in {State.ADMITTED, State.IN_CALL}
        assert not (now.chair_here and now.on_hold)
        assert not (now.was_rejected and now.state in OCCUPYING)
        if (
            was.state == State.IN_CALL
            and isinstance(event, ev.PartyLeft)
            and not event.end
            and was.chair_here
        ):
            assert now.state == State.IN_CALL
        if was.state != State.IN_CALL and now.state == State.IN_CALL:
            assert now.someone_connected
        if now.state in {State.ADMITTED, State.IN_CALL} and now.confirmed:
            assert now.someone_connected == (now.alone_since is None)

    def do(self, effect):
        match effect:
            case ev.OpenMedia():
                assert self.session.state in OCCUPYING
                self.media_open = True
            case ev.CloseMedia():
                self.media_open = self.held = False
                self.connected.clear()
            case ev.HoldMedia(on):
                assert self.media_open
                assert on != self.held
                self.held = on
            case ev.ShowTo(peer):
                assert self.session.party(peer) is not None
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
        self.media_open = self.held = False
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
