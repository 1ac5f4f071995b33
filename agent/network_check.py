"""Which STUN and TURN servers answer from this machine: `python -m agent.network_check URL…`, for IT."""

from __future__ import annotations

import argparse
import asyncio
import ssl
import sys
import time
from functools import partial
from pathlib import Path

from agent.media.aiortc_internals import host_addresses
from agent.media.ice_probe import probe
from agent.media.ice_url import IceUrlError, parse_ice_url
from agent.media.server_finder import reason_of, trusted


async def check(text: str, tls: ssl.SSLContext) -> tuple[bool, str]:
    """Whether this server answers, and a sentence for the person who asked."""
    try:
        url = parse_ice_url(text)
    except IceUrlError as error:
        return False, f"{text}: {error}"

    async def context() -> ssl.SSLContext:
        return tls

    started = time.perf_counter()
    try:
        address = await probe(url, context)
    except (OSError, UnicodeError) as error:
        return False, f"{url}: {reason_of(error)}"
    return True, f"{url}: answers from {address} in {(time.perf_counter() - started) * 1000:.0f} ms"


async def check_all(urls: list[str], tls: ssl.SSLContext) -> bool:
    """Ask all at once, print a line for each; whether all answer."""
    sys.stdout.write(f"Addresses offered to others: {', '.join(host_addresses()) or 'none'}\n")
    answers = await asyncio.gather(*(check(text, tls) for text in urls))
    for ok, sentence in answers:
        sys.stdout.write(f"{'ok   ' if ok else 'FAULT'} {sentence}\n")
    return all(ok for ok, _ in answers)


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status: 1 if a server does not answer."""
    parser = argparse.ArgumentParser(prog="python -m agent.network_check", description=__doc__)
    parser.add_argument("urls", nargs="+", metavar="URL", help="as in turns:turn.region.example:443")
    parser.add_argument("--ca-file", type=Path, help="the region's authority, as in unit.toml")
    given = parser.parse_args(arguments)
    make_context = partial(trusted, given.ca_file) if given.ca_file else ssl.create_default_context
    try:
        tls = make_context()
    except OSError as error:
        parser.error(f"--ca-file {given.ca_file}: {error.strerror or 'holds no certificate'}")
    return 0 if asyncio.run(check_all(given.urls, tls)) else 1


if __name__ == "__main__":
    sys.exit(main())
