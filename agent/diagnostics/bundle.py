"""Packs the parts into one file, each checked for personal data before; refused if it cannot be made clean."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from agent.diagnostics.parts import Part
from agent.diagnostics.personal import Scanner

BUNDLE_BYTES_MAX = 4 * 1024 * 1024
"""Packed; the region takes no larger one."""


class NotClean(ValueError):
    """Something that may tell of a person is left after masking: the bundle does not leave the unit."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A tar file packed by gzip, and how many places in it were masked."""

    data: bytes
    masked: Counter[str]
    faults: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """In hex."""
        return hashlib.sha256(self.data).hexdigest()


def pack(parts: Sequence[Part], scanner: Scanner, at: datetime) -> Bundle:
    """Mask, check and pack. Raises NotClean, or ValueError where it is too large."""
    masked: Counter[str] = Counter()
    files: dict[str, str] = {}
    for part in parts:
        if part.text:
            files[part.name], found = scanner.mask(part.text)
            masked += found
    faults = {part.name: part.fault for part in parts if part.fault}
    about = {"made_at": at.isoformat(), "masked": dict(masked), "faults": faults}
    files["about.json"] = json.dumps(about, ensure_ascii=False, indent=1)
    for name, text in files.items():
        if name != "about.json" and not scanner.is_clean(text):
            raise NotClean(f"{name} could not be freed of what may tell of a person; nothing was sent")
    data = _tar(files, at)
    if len(data) > BUNDLE_BYTES_MAX:
        raise ValueError(f"the bundle is larger than {BUNDLE_BYTES_MAX // 1024**2} MiB; nothing was sent")
    return Bundle(data, masked, tuple(faults))


def _tar(files: dict[str, str], at: datetime) -> bytes:
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=int(at.timestamp())) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        for name, text in files.items():
            data = text.encode(errors="replace")
            entry = tarfile.TarInfo(f"diagnostics/{name}")
            entry.size, entry.mtime, entry.mode = len(data), int(at.timestamp()), 0o600
            tar.addfile(entry, io.BytesIO(data))
    return packed.getvalue()
