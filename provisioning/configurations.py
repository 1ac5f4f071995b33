"""What each unit shall be: its groups' configuration by rank, over it its room's, over it its own.

`Unit.config` is the whole, and `(config_epoch, config_rev)` grows on every change; the worker publishes it.
Whatever changes a part calls `refresh` in its own transaction, so that a unit's whole never lags behind its parts,
and a part that would make any unit's whole invalid is refused for all of them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from provisioning import audit, room_config
from provisioning.config_checks import check, plain
from provisioning.config_merge import Layer, changed, merge, without_secrets
from provisioning.database import Database
from provisioning.fleet_models import ConfigRevision, Group, GroupMember, UnitHistory
from provisioning.models import OutboxRow, Room, Unit
from web.clinic.fleet.services import GroupLine
from web.clinic.services import Refused

GROUP_NAME = re.compile(r"[a-z0-9åäö][a-z0-9åäö._-]{0,39}")


@dataclass(frozen=True, slots=True)
class Layers:
    """The layers of many units, read in a handful of queries."""

    groups: Mapping[str, Sequence[Layer]]
    rooms: Mapping[str, Mapping[str, Any]]

    @classmethod
    def load(cls, db: Session, units: Collection[str] | None = None) -> Layers:
        """Of these units; None: of all."""
        query = select(GroupMember.unit_id, Group).join(Group, Group.name == GroupMember.group)
        if units is not None:
            query = query.where(GroupMember.unit_id.in_(units))
        groups: dict[str, list[Layer]] = defaultdict(list)
        for unit, group in db.execute(query.order_by(Group.rank, Group.name)):
            groups[unit].append(Layer(f"group:{group.name}", group.config))
        return cls(groups, room_config.of_units(db, units))

    def of(self, unit: Unit, own: Mapping[str, Any] | None = None) -> tuple[dict[str, Any], dict[str, str]]:
        """A unit's whole, and where each field comes from."""
        room = self.rooms.get(unit.id, room_config.NO_ROOM)
        own = unit.config_own if own is None else own
        return merge((*self.groups.get(unit.id, ()), Layer("room", room), Layer("unit", own)))


def refresh(
    db: Session,
    at: datetime,
    by: str,
    units: Collection[str] | None = None,
    *,
    own: Mapping[str, Any] | None = None,
    refused: dict[str, Refused] | None = None,
) -> dict[str, int]:
    """Bring units (None: all) in line with their layers, and count a revision for those that change.

    own: fields to set on each of them first. Returns each unit's revision. A whole that is not valid raises
    Refused; where `refused` is given, that unit is put there instead and left as it was.
    """
    # Read anew: one that the caller has read may have been changed by another process until the lock was ours.
    query = select(Unit).with_for_update().order_by(Unit.id).execution_options(populate_existing=True)
    rows = db.scalars(query if units is None else query.where(Unit.id.in_(units))).all()
    layers = Layers.load(db, units)
    news: list[tuple[Unit, list[str]]] = []
    for unit in rows:
        try:
            fields = _bring_in_line(unit, layers, changed(unit.config_own, own or {}))
        except Refused as error:
            if refused is None:
                raise
            refused[unit.id] = error
            continue
        if fields:
            news.append((unit, fields))
    count(db, news, at, by)
    return {unit.id: unit.config_rev for unit in rows}


def refresh_clinic(db: Session, clinic_id: int, at: datetime, by: str = audit.REGION) -> None:
    """Bring the units in a clinic's rooms in line."""
    db.flush()
    query = select(Room.unit_id).where(Room.clinic_id == clinic_id, Room.unit_id.is_not(None))
    refresh(db, at, by, [str(unit) for unit in db.scalars(query)])


def refresh_all(db: Session, at: datetime, by: str = audit.REGION) -> None:
    """Bring all units that stand in a room in line."""
    db.flush()
    query = select(Room.unit_id).where(Room.unit_id.is_not(None))
    refresh(db, at, by, [str(unit) for unit in db.scalars(query)])


def _bring_in_line(unit: Unit, layers: Layers, own: dict[str, Any]) -> list[str]:
    """The fields that change, by name; raises Refused."""
    wanted, _ = layers.of(unit, own)
    fields = sorted(n for n in wanted.keys() | unit.config.keys() if wanted.get(n) != unit.config.get(n))
    if fields:
        # Each field is right or wrong by itself, and those that stay were checked when they came.
        check({name: wanted[name] for name in fields if name in wanted}, unit.id)
        unit.config, unit.config_rev = wanted, unit.config_rev + 1
    if own != unit.config_own:
        unit.config_own = own
    return fields


def count(db: Session, news: Sequence[tuple[Unit, Sequence[str]]], at: datetime, by: str) -> None:
    """These units' wholes have other numbers now, and these fields changed: keep them, and let the worker publish.

    Inserted by the thousand, not one by one: SQLite tells new numbers of rows for single ones only.
    """
    if not news:
        return
    revisions: list[dict[str, Any]] = []
    history: list[dict[str, Any]] = []
    for unit, fields in news:
        told = {"epoch": unit.config_epoch, "rev": unit.config_rev}
        row = {"unit_id": unit.id, "at": at}
        news_of_it = without_secrets({name: unit.config.get(name) for name in fields})
        revisions.append({**row, **told, "by": by[:64], "config": news_of_it})
        history.append({**row, "kind": "config_wanted", "fields": {**told, "by": by, "fields": list(fields)}})
    db.execute(insert(ConfigRevision), revisions)
    db.execute(insert(UnitHistory), history)
    db.execute(insert(OutboxRow), [{"unit_id": unit.id, "what": "config"} for unit, _ in news])


class Configurations:
    """Units' own configuration, and groups'. Every method may be called on any thread; `by` is an account's id,
    or `cli:` and a user."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def set_unit(self, unit: str, values: Mapping[str, Any], by: str) -> int:
        """Set fields of a unit's own configuration; None gives a field back to groups and room.

        Returns the revision that is waited for; raises Refused, and then nothing has changed.
        """
        values, now = plain(values), self._clock()
        with self._database.write() as db:
            if db.get(Unit, unit) is None:
                raise Refused("unit", "is not known")
            rev = refresh(db, now, by, [unit], own=values)[unit]
            audit.note(db, now, by=by, action="set_config", target=unit, fields=_named(values, rev=rev))
        return rev

    def make_group(self, name: str, about: str, rank: int, by: str) -> None:
        """Make a group, or change what is said of it and its rank; raises Refused."""
        if not GROUP_NAME.fullmatch(name):
            raise Refused("group", "has a name of 1 to 40 lowercase letters, digits, dots, hyphens and _")
        if not -1000 <= rank <= 1000:
            raise Refused("rank", "is a number from -1000 to 1000")
        now = self._clock()
        with self._database.write() as db:
            row = db.get(Group, name, with_for_update=True) or Group(name=name, config={})
            row.about, row.rank = about.strip()[:200], rank
            db.add(row)
            db.flush()
            refresh(db, now, by, _members(db, name))
            audit.note(db, now, by=by, action="make_group", target=name, fields={"rank": rank})

    def drop_group(self, name: str, by: str) -> None:
        """Its members lose what it set; raises Refused."""
        now = self._clock()
        with self._database.write() as db:
            row, members = _group(db, name), _members(db, name)
            db.execute(delete(GroupMember).where(GroupMember.group == name))
            db.delete(row)
            db.flush()
            refresh(db, now, by, members)
            audit.note(db, now, by=by, action="drop_group", target=name, fields={"units": len(members)})

    def set_members(self, name: str, add: Iterable[str], remove: Iterable[str], by: str) -> None:
        """Put units in and take units out; raises Refused, and then nothing has changed."""
        put_in, taken, now = set(add), set(remove), self._clock()
        with self._database.write() as db:
            _group(db, name)
            known = set(db.scalars(select(Unit.id).where(Unit.id.in_(put_in | taken))))
            if unknown := sorted((put_in | taken) - known):
                raise Refused("unit", f"is not known: {unknown[0][:63]}")
            new = put_in - taken - set(_members(db, name))
            db.add_all(GroupMember(group=name, unit_id=unit) for unit in sorted(new))
            db.execute(delete(GroupMember).where(GroupMember.group == name, GroupMember.unit_id.in_(taken)))
            db.flush()
            refresh(db, now, by, new | taken)
            fields = {"add": sorted(put_in)[:50], "remove": sorted(taken)[:50]}
            audit.note(db, now, by=by, action="set_members", target=name, fields=fields)

    def set_group(self, name: str, values: Mapping[str, Any], by: str) -> None:
        """Set fields that a group's units get; None takes one away. Raises Refused if any of them cannot have
        it, and then nothing has changed."""
        values, now = plain(values), self._clock()
        with self._database.write() as db:
            row = _group(db, name)
            row.config = changed(row.config, values)
            check(row.config)
            db.flush()
            members = _members(db, name)
            refresh(db, now, by, members)
            fields = _named(values, units=len(members))
            audit.note(db, now, by=by, action="set_group_config", target=name, fields=fields)

    def groups(self) -> Sequence[GroupLine]:
        """All groups, the highest rank first; digests are left out."""
        with self._database.read() as db:
            query = select(GroupMember.group, func.count()).group_by(GroupMember.group)
            sizes: dict[str, int] = {name: size for name, size in db.execute(query)}  # noqa: C416 - rows are no pairs
            rows = db.scalars(select(Group).order_by(Group.rank.desc(), Group.name))
            return [
                GroupLine(row.name, row.about, sizes.get(row.name, 0), without_secrets(row.config), row.rank)
                for row in rows
            ]

    def members(self, name: str) -> Sequence[str]:
        """A group's units by name; raises Refused."""
        with self._database.read() as db:
            _group(db, name)
            return _members(db, name)


def _named(values: Mapping[str, Any], **more: int) -> dict[str, Any]:
    """For the audit log, which holds no digests and no certificates: names of fields alone."""
    given_back = sorted(name for name, value in values.items() if value is None)
    return {"set": sorted(values.keys() - set(given_back)), "given_back": given_back, **more}


def _group(db: Session, name: str) -> Group:
    row = db.get(Group, name, with_for_update=True)
    if row is None:
        raise Refused("group", "is not known")
    return row


def _members(db: Session, name: str) -> list[str]:
    query = select(GroupMember.unit_id).where(GroupMember.group == name)
    return list(db.scalars(query.order_by(GroupMember.unit_id)))
