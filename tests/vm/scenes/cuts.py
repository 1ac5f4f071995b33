"""The plug is pulled, again and again, at random moments from power on to a unit at work.

QEMU is killed with -9, so the disk holds what the machine had flushed, and nothing else. Before the next power on
the disk is looked at from outside (tests/vm/kept_state.py); the next boot has to live with it, and the region with
what comes. To be quick the kernel is booted at once, without kiosk and sound: they write nothing that is kept.
"""

from __future__ import annotations

import os
import random
import shutil
import threading
import time
from pathlib import Path

from sqlalchemy import func, select

from provisioning.fleet_models import CommandRow
from provisioning.models import LogEntry, UnitReport
from tests.system.visit import command, database
from tests.vm.cuts_tally import Cut, Tally
from tests.vm.disk_image import partition
from tests.vm.kept_state import Heard, copy_out, identity_in, journal_faults, look, replay, take_folder
from tests.vm.lab import KIOSK, Lab

SHORT, FRESH, RANK = False, True, 90
CUTS = int(os.environ.get("CUTS", "3"))
SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
AT_WORK_S = 25.0
"""After a boot to the end, the unit is left at work for up to so long before the plug is pulled."""
FIRST_S = 3.0
BOOK_EVERY_S = 2.0
SETTLE_S = 1.5
"""What the unit had sent when it was cut off reaches the region within this; then the region is asked."""
WHOLE_EVERY = 10
"""So often a boot is waited for to its end, whatever the dice say: the unit has to come up well."""


def play(lab: Lab) -> None:
    """CUTS times; the form of a hundred is `make vm-cuts`."""
    dice = random.Random(SEED)
    with lab.trial(
        f"power cut at {CUTS} random moments (seed {SEED})",
        "each time: file systems, store, event chain, journals, schedule and identity whole, nothing told is lost",
    ) as trial:
        tally = Tally()
        lab.power_on("cuts", hardware=lab.quick(*KIOSK, "halsorum-audio"), up=False)
        ready_s = lab.wait_until_ready()
        for number in range(1, CUTS + 1):
            before = lab.report()[1]
            whole = number == 1 or number % WHOLE_EVERY == 0
            if not whole or number > 1:
                lab.vm.start()
            cut = _live_and_cut(
                lab, dice, ready_s, before if whole and number > 1 else None, first=number == 1
            )
            heard = _heard(lab)
            cut = _examine(lab, cut, heard)
            tally.add(cut)
            print(f"  cut {number}: {cut.line()}", flush=True)
            if cut.wrong:
                _keep_disk(lab, number)
        lab.vm.start()
        boot = lab.report()[1]
        lab.wait_until_ready(boot)
        verified = command(lab.stack, "log", "verify")
        assert verified["ok"] and not verified["missing_events"], f"the region's log: {verified}"
        assert not tally.faulty(), f"{tally.summary()}; disks in {lab.folder}; {'; '.join(tally.faulty())}"
        trial.seen = tally.summary()


def _live_and_cut(
    lab: Lab, dice: random.Random, ready_s: float, whole_after: int | None, *, first: bool
) -> Cut:
    """From power on (or, the first time, from a unit at work) to a random moment; bookings and commands go on."""
    busy = threading.Event()
    worker = threading.Thread(target=_keep_busy, args=(lab, busy), daemon=True)
    worker.start()
    if whole_after is not None:
        lab.wait_until_ready(whole_after)
    if first or whole_after is not None:
        time.sleep(dice.uniform(0.5, AT_WORK_S))
    else:
        time.sleep(dice.uniform(FIRST_S, ready_s + AT_WORK_S))
    lab.vm.power_cut()
    at_s = lab.vm.on_for_s()
    busy.set()
    worker.join(30)
    time.sleep(SETTLE_S)
    return Cut(at_s, lab.report()[1], ())


def _keep_busy(lab: Lab, enough: threading.Event) -> None:
    """Bookings far ahead, so that schedules are written; a command each time, so that its journal is."""
    command(lab.stack, "command", "send", lab.unit, "show-message", "text=Test", "minutes=1")
    while not enough.wait(BOOK_EVERY_S):
        lab.book_far_ahead()


def _heard(lab: Lab) -> Heard:
    with database(lab.stack) as db:
        row = db.execute(
            select(LogEntry.unit_epoch, func.max(LogEntry.unit_seq))
            .where(LogEntry.unit_id == lab.unit, LogEntry.unit_epoch.is_not(None))
            .group_by(LogEntry.unit_epoch)
            .order_by(LogEntry.unit_epoch.desc())
        ).first()
        report = db.get(UnitReport, lab.unit)
        taken = db.scalars(
            select(CommandRow.id).where(
                CommandRow.unit_id == lab.unit, CommandRow.state.not_in(("sent", "expired"))
            )
        )
        schedule = (-1, -1) if report is None else (report.schedule_epoch, report.schedule_rev)
        event = (0, 0) if row is None else (int(row[0] or 0), int(row[1] or 0))
        return Heard(event, schedule, frozenset(taken))


def _examine(lab: Lab, cut: Cut, heard: Heard) -> Cut:
    folder = lab.folder / "examined"
    wrong: list[str] = []
    files = {
        name: copy_out(lab.vm.disk, partition(lab.vm.image, name), _place(folder, name))
        for name in ("identity", "data")
    }
    wrong += [f"{name}: {fault}" for name, file in files.items() if (fault := replay(file))]
    take_folder(files["identity"], folder / "identity")
    key, fault = identity_in(folder / "identity")
    if key is None:
        return cut.with_faults([*wrong, fault])
    take_folder(files["data"], folder / "data")
    kept, faults = look(folder / "data" / "agent" / "unit.db", key, heard)
    entries, unread = journal_faults(folder / "data" / "journal")
    return cut.with_faults([*wrong, *faults, *unread]).with_kept(kept, entries)


def _keep_disk(lab: Lab, number: int) -> None:
    """What was found wrong can be looked at afterwards: the next boot may mend it, or make it worse."""
    shutil.copy(lab.vm.disk, lab.folder / f"cut-{number}{lab.vm.disk.suffix}")


def _place(folder: Path, name: str) -> Path:
    shutil.rmtree(folder / name, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.ext4"
