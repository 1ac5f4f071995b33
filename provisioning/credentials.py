"""Secrets that systemd hands to the region (systemd.exec(5), LoadCredential=), laid over its settings.

Of /etc/halsorum/region.d, which root alone may read, each file stands for one setting, named like its variable in
the environment without the prefix: `database_url` holds the address with its password; `broker__key_file` and
others that end in `_file` are taken as the file itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

FOLDER_VARIABLE = "CREDENTIALS_DIRECTORY"
OURS = "region_"
"""Before each file's name: LoadCredential=region:FOLDER."""


def handed_over(environ: Mapping[str, str]) -> dict[str, str]:
    """Settings by the names of their variables (provisioning/settings.py), without the prefix. Raises OSError."""
    folder = environ.get(FOLDER_VARIABLE)
    if not folder:
        return {}
    found = {}
    for file in sorted(Path(folder).glob(f"{OURS}*")):
        name = file.name.removeprefix(OURS)
        found[name] = str(file) if name.endswith("_file") else file.read_text().strip()
    return found
