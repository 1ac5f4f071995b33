"""What the people in a meeting tell one another, and what the patient is told of it: in memory only.

Names, chat lines and who sits beside the patient come over the call's data channels. Nothing of them reaches
the store, the log or the events, and with the session all of it is gone. Pure: time comes in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agent.meeting_messages import BESIDE_MAX, ROLES, Chat, Name
from agent.screen_meeting import Announcement, AnnouncementKind, Beside, CameraChoice, Caption, Question
from agent.session_state import OCCUPYING, Session

CAPTIONS_MAX = 50
ANNOUNCEMENTS_MAX = 20
NAME_WITHIN = timedelta(seconds=1.5)
"""One who has joined says its name right away; after this it is announced by its role."""
STILL_ASKED = timedelta(seconds=3)
"""How long the patient may say no before a still picture is taken."""
HERE = "here-"
"""Begins the ids of those that were put down at the touchscreen."""


@dataclass(frozen=True, slots=True)
class MeetingView:
    """All of it that the screen shows."""

    names: Mapping[str, Name] = field(default_factory=dict, repr=False)
    captions: tuple[Caption, ...] = ()
    announcements: tuple[Announcement, ...] = ()
    beside: tuple[Beside, ...] = ()
    question: Question | None = None
    camera_choice: CameraChoice = "main"
    zoomed: bool = False
    has_hand_camera: bool = False
    warning: str = ""
    """What the patient is told now of sound and picture (agent/call_watch.py)."""


NOTHING_SAID = MeetingView()


class Meeting:
    """One meeting after the other. `first_id`: numbers grow from there, over a restart too if it does."""

    def __init__(self, first_id: int = 0, *, has_hand_camera: bool = False) -> None:
        self._last_id = first_id
        self.has_hand_camera = has_hand_camera
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._names: dict[str, Name] = {}
        self._roles: dict[str, str] = {}
        self._owners: dict[str, str] = {}
        self._unannounced: dict[str, datetime] = {}
        self._captions: deque[Caption] = deque(maxlen=CAPTIONS_MAX)
        self._heard: deque[tuple[str, str]] = deque(maxlen=CAPTIONS_MAX)
        self._announcements: deque[Announcement] = deque(maxlen=ANNOUNCEMENTS_MAX)
        self._beside_chair: tuple[Beside, ...] = ()
        self._beside_here: tuple[Beside, ...] = ()
        self.question: Question | None = None
        self._camera: CameraChoice = "main"
        self._zoomed = False
        self.warning = ""

    def view(self) -> MeetingView:
        """What the screen shows of it."""
        return MeetingView(
            names=dict(self._names),
            captions=tuple(self._captions),
            announcements=tuple(self._announcements),
            beside=self.beside,
            question=self.question,
            camera_choice=self._camera,
            zoomed=self._zoomed,
            has_hand_camera=self.has_hand_camera,
            warning=self.warning,
        )

    def follow(self, before: Session, after: Session, now: datetime) -> None:
        """A session has moved: say who came and went, and what is shown."""
        if after.state not in OCCUPYING:
            if before.state in OCCUPYING:
                self.clear()
            return
        here = {party.peer: party for party in after.parties}
        for peer in [peer for peer in self._roles if peer not in here]:
            self._gone(peer)
        for party in after.parties:
            if party.state != "connected" or party.peer in self._roles:
                continue
            self._roles[party.peer] = party.role
            if party.share_of is None:
                self._unannounced[party.peer] = now
                if party.peer in self._names:
                    self._announce_joined(party.peer)
            else:
                self._owners[party.peer] = party.share_of
                self.announce("share_began", party.role, party.share_of)
        if before.sharing != after.sharing:
            self.announce("sharing_on" if after.sharing else "sharing_off")

    def _gone(self, peer: str) -> None:
        role, owner = self._roles.pop(peer), self._owners.pop(peer, None)
        if owner is not None:
            self.announce("share_ended", role, owner)
        elif self._unannounced.pop(peer, None) is None:
            self.announce("left", role, peer)
        self._names.pop(peer, None)

    def tick(self, now: datetime) -> bool:
        """Let time pass; whether something is new on the screen."""
        late = [peer for peer, since in self._unannounced.items() if not since <= now < since + NAME_WITHIN]
        for peer in late:
            self._announce_joined(peer)
        return bool(late)

    def _announce_joined(self, peer: str) -> None:
        if self._unannounced.pop(peer, None) is not None:
            self.announce("joined", self._roles[peer], peer)

    def announce(self, kind: AnnouncementKind, role: str = "", peer: str = "") -> None:
        """Tell the patient, by that party's name if it gave one."""
        name = self._names.get(peer, Name()).name
        self._announcements.append(Announcement(self._next_id(), kind, role, name))

    def named(self, peer: str, name: Name) -> None:
        """A party says who it is; one that has said nothing yet may come before its media does."""
        self._names[peer] = name
        if name.name:
            self._announce_joined(peer)

    def said(self, peer: str, role: str, chat: Chat) -> None:
        """A party wrote a line. The same again, after a connection was rebuilt, is no new one."""
        if chat.id and (peer, chat.id) in self._heard:
            return
        self._heard.append((peer, chat.id))
        self._captions.append(Caption(self._next_id(), peer, role, chat.text))

    @property
    def beside(self) -> tuple[Beside, ...]:
        """Who sits beside the patient, by the chair and by the screen."""
        return (*self._beside_here, *self._beside_chair)[:BESIDE_MAX]

    def beside_by_chair(self, people: tuple[Beside, ...]) -> bool:
        """The chair's list, whole; whether that is news. What came from the screen is not the chair's."""
        before = self.beside
        self._beside_chair = tuple(person for person in people if not person.id.startswith(HERE))
        return self.beside != before

    def beside_here(self, role: str) -> bool:
        """Somebody at the screen puts one down by role; False if there is no such role, or no more room."""
        if role not in ROLES or len(self.beside) >= BESIDE_MAX:
            return False
        self._beside_here += (Beside(f"{HERE}{self._next_id()}", role),)
        return True

    def not_beside(self, identifier: str) -> bool:
        """Somebody at the screen takes one off again, whoever put them down; False if there is none."""
        before = self.beside
        self._beside_here = tuple(person for person in self._beside_here if person.id != identifier)
        self._beside_chair = tuple(person for person in self._beside_chair if person.id != identifier)
        return self.beside != before

    def viewed(self, camera: CameraChoice, zoomed: bool, role: str = "", peer: str = "") -> None:
        """The camera shows this now, by that party's wish (or the patient's: no role)."""
        if camera != self._camera:
            self.announce("hand_camera" if camera == "hand" else "main_camera", role, peer)
        elif zoomed != self._zoomed:
            self.announce("zoomed" if zoomed else "unzoomed", role, peer)
        self._camera, self._zoomed = camera, zoomed

    def ask_for_still(self, role: str, now: datetime) -> Question:
        """Ask the patient; only one question stands at a time."""
        self.question = Question(f"still-{self._next_id()}", "still", role, now + STILL_ASKED)
        return self.question

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id
