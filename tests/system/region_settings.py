"""The settings file of a region that a test starts as a process of its own."""

from __future__ import annotations

from pathlib import Path

from provisioning.pki import Credentials


def write_region_settings(folder: Path, region: Credentials, *, broker_port: int, web_port: int) -> Path:
    """region.toml in this folder: SQLite beside it, the broker and the pages on this machine."""
    file = folder / "region.toml"
    file.write_text(
        f"""
database_url = "sqlite:///{folder}/region.db"
state_dir = "{folder}"
[broker]
port = {broker_port}
ca_file = "{region.ca_file}"
certificate_file = "{region.certificate_file}"
key_file = "{region.key_file}"
[web]
port = {web_port}
public_url = "http://127.0.0.1:{web_port}"
"""
    )
    return file
