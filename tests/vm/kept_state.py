"""What a machine that was cut off has on its disk, looked at from outside before anything of it runs again.

The disk's partitions are copied out of the qcow2 file, their ext4 journal is replayed as the next boot would, and
what the unit keeps is held against what the region has heard of it: whole, and nothing that was told is lost.
"""

from __future__ import annotations

import base64
import sqlite3
import subprocess
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from pydantic import TypeAdapter, ValidationError

from agent.commands.life import Entry
from agent.contract.events import GENESIS, Event, event_hash
from agent.identity_store import IdentityError, IdentityStore
from agent.schedule import Snapshot
from tests.vm.disk_image import Partition

_SNAPSHOT: TypeAdapter[Snapshot] = TypeAdapter(Snapshot)
_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)
_HEAD: TypeAdapter[tuple[int, int, str]] = TypeAdapter(tuple[int, int, str])
CORRECTED = 1
"""e2fsck's status when it has replayed or mended something (e2fsck(8)); more is damage that stays."""


@dataclass(frozen=True)
class Heard:
    """What the region knew of the unit at the moment of the cut; the disk must know as much."""

    event: tuple[int, int] = (0, 0)
    """Epoch and sequence of the newest event that it has written down."""
    schedule: tuple[int, int] = (-1, -1)
    """Epoch and revision that the unit has said to have taken."""
    commands: frozenset[str] = frozenset()
    """Ids that the unit has said to have received."""


@dataclass(frozen=True)
class Kept:
    """What is on the disk."""

    head: tuple[int, int]
    pending: int
    schedule: tuple[int, int]
    commands: int
    boots: int

    def line(self) -> str:
        """In a few words."""
        told = f"{self.boots} starts, event {self.head[1]} ({self.pending} not acknowledged)"
        return f"{told}, schedule {self.schedule[1]}, {self.commands} commands"


def copy_out(disk: Path, place: Partition, file: Path) -> Path:
    """A partition of a qcow2 disk as a raw file."""
    options = f"driver=raw,offset={place.start_byte},size={place.size_bytes}"
    source = f"{options},file.driver=qcow2,file.file.driver=file,file.file.filename={disk}"
    _run("qemu-img", "convert", "--image-opts", source, "-O", "raw", str(file))
    return file


def replay(file: Path) -> str:
    """Mount's work without a mount: the file system's journal is replayed. Returns what is wrong, or nothing."""
    done = subprocess.run(["e2fsck", "-p", str(file)], capture_output=True, text=True)
    if done.returncode > CORRECTED:
        return f"e2fsck: {done.stdout.strip()[-200:]}"
    again = subprocess.run(["e2fsck", "-fn", str(file)], capture_output=True, text=True)
    return "" if again.returncode == 0 else f"e2fsck after its repair: {again.stdout.strip()[-200:]}"


def take_folder(file: Path, into: Path) -> Path:
    """What an ext4 file holds, as a folder, without a mount."""
    into.mkdir(parents=True, exist_ok=True)
    _run("debugfs", "-R", f"rdump / {into}", str(file))
    return into


def look(database: Path, key: EllipticCurvePublicKey, heard: Heard) -> tuple[Kept | None, list[str]]:
    """What the unit's store holds, and a sentence for each thing that is not as it must be."""
    if not database.exists():
        return None, [] if heard == Heard() else ["the store is gone, and the region has heard of it"]
    with closing(sqlite3.connect(database)) as db:
        try:
            [[verdict]] = db.execute("PRAGMA integrity_check")
        except sqlite3.DatabaseError as error:
            return None, [f"the store: {error}"]
        if verdict != "ok":
            return None, [f"the store: {verdict}"]
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'command'").fetchone():
            return None, [] if heard == Heard() else ["the store is empty, and the region has heard of it"]
        return _look_inside(db, key, heard)


def _look_inside(
    db: sqlite3.Connection, key: EllipticCurvePublicKey, heard: Heard
) -> tuple[Kept | None, list[str]]:
    kept = dict(db.execute("SELECT key, value FROM kept").fetchall())
    rows = [value for [value] in db.execute("SELECT value FROM outbox ORDER BY epoch, seq")]
    commands = dict(db.execute("SELECT id, value FROM command").fetchall())
    try:
        snapshot = _SNAPSHOT.validate_json(kept["snapshot"]) if "snapshot" in kept else Snapshot()
        head = _HEAD.validate_json(kept["head"]) if "head" in kept else (0, 0, GENESIS)
        events = [Event.model_validate_json(row) for row in rows]
        for value in commands.values():
            _ENTRY.validate_json(value)
    except ValidationError as error:
        return None, [f"something kept cannot be read: {error.title}, {error.error_count()} errors"]
    wrong = list(chain_faults(events, head, key))
    schedule = (snapshot.epoch, snapshot.rev)
    if head[:2] < heard.event:
        wrong.append(f"the region holds event {heard.event}, the unit's chain ends at {head[:2]}")
    if schedule < heard.schedule:
        wrong.append(f"the unit has said to hold schedule {heard.schedule}, and holds {schedule}")
    if missing := heard.commands - commands.keys():
        wrong.append(f"{len(missing)} commands that the unit has acknowledged are not in its journal")
    return Kept(head[:2], len(events), schedule, len(commands), int(kept.get("boot", b"0"))), wrong


def chain_faults(
    events: Iterable[Event], head: tuple[int, int, str], key: EllipticCurvePublicKey
) -> Iterable[str]:
    """Each event's hash, signature and tie to the one before it, and that the head is the last."""
    before: Event | None = None
    for event in events:
        name = f"event {event.epoch}/{event.seq}"
        content = event_hash(
            epoch=event.epoch,
            seq=event.seq,
            prev=event.prev,
            at=event.at.isoformat(),
            kind=event.kind,
            sid=event.sid,
            fields=dict(event.fields),
        )
        if content != event.hash:
            yield f"{name}: its hash is another's"
        if not _is_signed(key, event):
            yield f"{name}: its signature is not the unit's"
        if (
            before is not None
            and before.epoch == event.epoch
            and ((before.seq + 1, before.hash) != (event.seq, event.prev))
        ):
            yield f"{name}: does not follow the one before it"
        before = event
    if before is not None and (before.epoch, before.seq, before.hash) != head:
        yield f"the chain's head {head[:2]} is not its last event {(before.epoch, before.seq)}"


def _is_signed(key: EllipticCurvePublicKey, event: Event) -> bool:
    algorithm = ECDSA(Prehashed(hashes.SHA256()))
    try:
        key.verify(base64.b64decode(event.signature), bytes.fromhex(event.hash), algorithm)
    except InvalidSignature:
        return False
    return True


def identity_in(folder: Path) -> tuple[EllipticCurvePublicKey | None, str]:
    """The public key of the identity that the unit works under, read as the agent does; or what is wrong."""
    try:
        held = IdentityStore(folder).current()
    except (IdentityError, OSError) as error:
        return None, f"the identity: {error}"
    if held is None:
        return None, "the identity is gone"
    key = x509.load_pem_x509_certificate(held.certificate_file.read_bytes()).public_key()
    return (key, "") if isinstance(key, EllipticCurvePublicKey) else (None, "the identity has another key")


def journal_faults(folder: Path) -> tuple[int, list[str]]:
    """How many entries journald's files hold, and what cannot be read. The file that was being written when the
    power went is read as far as it goes: journald puts it aside at the next boot, and begins another."""
    entries, wrong = 0, []
    for file in sorted(folder.rglob("*.journal")):
        words = (
            "journalctl",
            "--file",
            str(file),
            "-o",
            "cat",
            "--output-fields=PRIORITY",
            "-q",
            "--no-pager",
        )
        read = subprocess.run(words, capture_output=True, text=True)
        entries += read.stdout.count("\n")
        if read.returncode != 0:
            wrong.append(f"{file.name}: {read.stderr.strip()[-100:]}")
        elif "@" in file.name:
            verified = subprocess.run(["journalctl", "--verify", "--file", str(file)], capture_output=True)
            wrong += [] if verified.returncode == 0 else [f"{file.name}: does not verify"]
    return entries, wrong


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, text=True)
