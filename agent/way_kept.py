"""The unit's way to its region, kept beside its identity: a unit that has lost its data partition must be reached.

The store on the data partition has all of the region's configuration. Of that, network, broker and the region's
own authorities are kept here once more, on another partition; written only when they change.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

from pydantic import ValidationError

from agent.contract.unit_config import Config
from agent.identity_disk import Disk

log = logging.getLogger(__name__)

FILE = "way.json"
OF_ANY_NAME = ("network", "region_ca")
"""Under another name too: the region let the unit in over them. The broker is as that region said."""
WAY = (*OF_ANY_NAME, "broker")


class WayKept:
    """One unit's; `folder` is None where identities are single files, and then nothing is kept."""

    def __init__(self, folder: Path | None, unit: str, disk: Disk | None = None) -> None:
        self._folder = folder
        self._unit = unit
        self._disk = disk or Disk()

    def keep(self, values: Config) -> None:
        """Write it, if it is another; what cannot be written is logged, and what was kept stays."""
        if self._folder is None:
            return
        way = {name: getattr(values, name) for name in WAY}
        body = json.dumps(
            {"unit": self._unit, "way": json.loads(Config(**way).model_dump_json(exclude_none=True))}
        ).encode()
        file, new = self._folder / FILE, self._folder / f".{FILE}.new"
        try:
            if body == (file.read_bytes() if file.exists() else None) or (
                not file.exists() and all(value is None for value in way.values())
            ):
                return
            self._disk.unlink(new)
            self._disk.write(new, body, private=True)
            self._disk.rename(new, file)
            self._disk.sync_folder(self._folder)
        except OSError as error:
            log.error("the way to the region is not kept: %s", os.strerror(error.errno or 0))  # noqa: TRY400

    def kept(self) -> Config:
        """What was kept; empty if there is nothing, or nothing that can be read."""
        try:
            table = json.loads((self._folder / FILE).read_bytes()) if self._folder is not None else {}
            way = Config.model_validate_json(json.dumps(table.get("way", {})))
        except FileNotFoundError:
            return Config()
        except (OSError, ValueError, AttributeError, ValidationError) as error:
            log.error("the way to the region is not readable: %s", type(error).__name__)  # noqa: TRY400
            return Config()
        names = WAY if table.get("unit") == self._unit else OF_ANY_NAME
        return Config(**{name: getattr(way, name) for name in names})
