"""What the region refuses, in the reader's language.

The region gives its reasons in English. Those it is known to give have texts of our own; any other is shown
as it came, since a reason in another language is worth more than none.
"""

from __future__ import annotations

import re

from web.clinic.services import Refused
from web.clinic.texts import Texts

_CLASH = re.compile(r"the room is booked (?P<when>.{1,60}) \((?P<ref>.{1,40})\)")
KNOWN = (
    ("start", "is in the past", "past"),
    ("start", "is more than", "too_far"),
    ("end", "must come after", "end_first"),
    ("end", "is more than", "too_long"),
    ("methods", "needs at least", "no_method"),
    ("methods", "this session has no", "not_by_staff"),
    ("room", "cannot be reached", "room_lost"),
    ("room_id", "is not a room", "choose_one"),
    ("session", "has begun", "begun"),
    ("session", "is cancelled", "cancelled"),
    ("session", "is over", "over"),
    ("session", "is not yet open", "too_early"),
    ("session", "is checked in", "checked_in"),
    ("help", "is over", "help_over"),
    ("taken", "a colleague", "taken"),
    ("queue", "is empty", "queue_empty"),
    ("queue", "is not known", "queue_unknown"),
    ("entry", "was taken", "queue_quicker"),
    ("room", "is out of reach", "queue_lost"),
    ("room", "is taken now", "queue_room_taken"),
    ("room", "is not ready", "room_not_ready"),
    ("session", "has its patient", "moved_late"),
    ("session", "had its time", "over"),
    ("instance", "", "reload"),
    ("label", "has at most", "seat_label_long"),
    ("label", "looks like", "seat_label_personal"),
    ("role", "is none", "choose_one"),
    ("seat", "there are", "seats_full"),
    ("seat", "is not there", "seat_gone"),
    ("link", "is not known", "link_gone"),
    ("link", "opens later", "link_early"),
    ("code", "is wrong", "code_wrong"),
    ("peer", "finds no place", "meeting_full"),
    ("peer", "does not wait", "knock_gone"),
    ("peer", "is not an interpreter", "interpreter_only"),
    ("peer", "is not in", "party_gone"),
    ("peer", "is the chair's own", "remove_self"),
    ("to", "is not in", "party_gone"),
    ("holder", "", "no_chair"),
    ("organisations", "looks like", "seat_label_personal"),
    ("organisations", "", "organisations"),
    ("share", "is off", "share_off"),
    ("share", "is not on", "reload"),
    ("message", "comes too often", "too_often"),
    ("type", "is for the chair", "chair"),
    ("type", "is for those inside", "outside"),
    ("type", "is for a clinician", "not_yours"),
)
"""Field, how the reason begins, and the key of our text."""


def refusal_words(refused: Refused, t: Texts) -> str:
    """Why not, in words for the person who asked."""
    if clash := _CLASH.match(refused.reason):
        return t("refused.clash", when=clash["when"], ref=clash["ref"])
    for field_name, beginning, key in KNOWN:
        if refused.field_name == field_name and refused.reason.startswith(beginning):
            return t.of("refused", key)
    return t.of("refused", refused.reason)
