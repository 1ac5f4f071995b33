"""What the unit has kept of the region's configuration, from one start to the next."""

from __future__ import annotations

import logging
import sqlite3

from pydantic import ValidationError

from agent.configuring import Ledger, roll_back
from agent.contract.unit_config import Config
from agent.store import Store

log = logging.getLogger(__name__)

LEDGER_KEY = "configuration"
RESTARTED = "the unit was restarted or lost its power during the trial"
NO_DISK = "the unit's disk is full or broken: it can keep no configuration, and tries again"


def kept_ledger(store: Store) -> Ledger:
    """What an earlier run has kept; a trial that it did not live to see the end of is rolled back."""
    try:
        kept = store.get(LEDGER_KEY)
        ledger = Ledger.model_validate_json(kept) if kept else _of_earlier_release(store)
    except ValidationError:
        log.error("the configuration kept is not readable; the region sends it again")  # noqa: TRY400
        return Ledger()
    if ledger.state != "trial":
        return ledger
    log.warning("configuration %d is rolled back: %s", ledger.wanted[1], RESTARTED)
    ledger = roll_back(ledger, RESTARTED)
    try:
        save(store, ledger)
    except sqlite3.Error:
        log.error("%s", NO_DISK)  # noqa: TRY400 - what is on disk says the same at the next start
    return ledger


def save(store: Store, ledger: Ledger) -> None:
    """Keep it; sqlite3.OperationalError when the disk is full, and then what was kept stays."""
    store.put(LEDGER_KEY, ledger.model_dump_json().encode())


def kept_values(store: Store) -> Config:
    """What has proven itself: for those who want to reach a broker before or beside the agent's own link."""
    kept = store.get(LEDGER_KEY)
    try:
        return roll_back(Ledger.model_validate_json(kept), RESTARTED).values if kept else Config()
    except ValidationError:
        return Config()


def _of_earlier_release(store: Store) -> Ledger:
    wanted, rev = store.get("config"), store.get("config_rev")
    if wanted is None or rev is None:
        return Ledger()
    config = Config.model_validate_json(wanted)
    number = (config.epoch, int(rev))
    return Ledger(values=config, epoch=number[0], rev=number[1], wanted=number, state="applied")
