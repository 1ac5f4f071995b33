"""What was, at the end of a meeting: for the page, and as plain text to copy into the journal.

The names of those who took part are not here: the page adds what it heard from them, in the browser alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from agent.contract.schedule import PartyRole
from web.clinic.log_words import began_and_ended, roles_in_call
from web.clinic.services import LogLine, SessionRow
from web.clinic.texts import Texts

CONSENT = "sharing_noted"
STILL = "still_saved"
IDENTIFIED = ("account", "oidc", "link", "unit")


@dataclass(frozen=True, slots=True)
class End:
    """A meeting that is over."""

    began: str
    over: str
    parties: tuple[str, ...]
    """Roles in words, and how each was identified, as the log has them."""
    before: str
    """The summary's lines before those who took part, and after them."""
    after: str
    words: dict[str, Any]
    """What the page's script needs to write those who took part with their names."""

    @property
    def text(self) -> str:
        """The whole summary without names."""
        own = [f"- {_begin(party)}" for party in self.parties]
        return "\n".join([self.before, *own, *([self.after] if self.after else [])])


def end_of(row: SessionRow, lines: Sequence[LogLine], t: Texts, local: Callable[[datetime], datetime]) -> End:
    """Times on the clinic's clock."""
    began, over = began_and_ended(lines)
    roles = {role: t.of("log.role", role) for role in (*get_args(PartyRole), "patient")}
    identified = {how: t.of("log.identified", how) for how in IDENTIFIED}

    def clock(at: datetime | None) -> str:
        return local(at).strftime("%H:%M") if at else ""

    return End(
        began=clock(began),
        over=clock(over),
        parties=tuple(_party(role, lines, roles, identified) for role in roles_in_call(lines)),
        before="\n".join(_before(row, lines, t, local, clock(over))),
        after="\n".join(_after(lines, t, clock)),
        words={
            "roles": {role: _begin(words) for role, words in roles.items()},
            "identified": identified,
            "beside": t("summary.beside"),
        },
    )


def _before(
    row: SessionRow,
    lines: Sequence[LogLine],
    t: Texts,
    local: Callable[[datetime], datetime],
    over: str,
) -> list[str]:
    let_in = next((line.at for line in lines if line.kind == "admitted"), None)
    booked = {"start": local(row.start).strftime("%H:%M"), "end": local(row.end).strftime("%H:%M")}
    checked_in = ""
    if row.checked_in_at is not None:
        how = t.of("how", row.checked_in_how) if row.checked_in_how else ""
        checked_in = t("summary.checked_in", time=local(row.checked_in_at).strftime("%H:%M"), how=how)
    told = (
        t("summary.title", date=local(row.start).strftime("%Y-%m-%d"), ref=row.ref),
        t("summary.room", room=row.room.name, clinic=row.room.clinic),
        t("summary.booked", **booked),
        checked_in,
        t("summary.let_in", time=local(let_in).strftime("%H:%M")) if let_in else "",
        t("summary.over", time=over) if over else "",
        t("summary.parties"),
        f"- {t('summary.patient')}",
    )
    return [line for line in told if line]


def _after(lines: Sequence[LogLine], t: Texts, clock: Callable[[datetime | None], str]) -> list[str]:
    told = [
        t("summary.consent", time=clock(line.at), organisations=line.fields["organisations"])
        for line in lines
        if line.kind == CONSENT and line.fields.get("organisations")
    ]
    stills = sum(line.kind == STILL for line in lines)
    return [*told, t("summary.stills", number=stills)] if stills else told


def _begin(words: str) -> str:
    return words[:1].upper() + words[1:]


def _party(role: str, lines: Sequence[LogLine], roles: dict[str, str], identified: dict[str, str]) -> str:
    hows = (line.fields.get("identified") for line in lines if line.fields.get("role") == role)
    how = next((identified[str(one)] for one in hows if str(one) in identified), "")
    return f"{roles.get(role, role)} ({how})" if how else roles.get(role, role)
