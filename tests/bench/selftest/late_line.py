"""A TCP relay that can be late: `python -m tests.bench.selftest.late_line ADDRESS PORT TARGET_PORT FILE`.

FILE holds the seconds by which each piece is held back on its way to the broker; without it, nothing is.
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import suppress
from pathlib import Path

PIECE_BYTES = 65536


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, late: Path | None) -> None:
    """Until one of them ends; in order, each piece as late as the others, however many are under way."""
    waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    writing = asyncio.create_task(_write(waiting, writer))
    piece = b"-"
    with suppress(OSError):
        while piece:
            piece = await reader.read(PIECE_BYTES)
            waiting.put_nowait((time.monotonic() + seconds_in(late), piece))
    if piece:
        waiting.put_nowait((0.0, b""))
    await writing


async def _write(waiting: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while True:
            due, piece = await waiting.get()
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if not piece:
                break
            writer.write(piece)
            await writer.drain()
    writer.close()


def seconds_in(file: Path | None) -> float:
    """What a file says; 0 for none."""
    with suppress(OSError, ValueError):
        return float(file.read_text()) if file is not None else 0.0
    return 0.0


async def serve(address: str, port: int, target_port: int, late: Path) -> None:
    """Until it is killed."""

    async def between(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(address, target_port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(carry(reader, far_writer, late), carry(far_reader, writer, None))

    async with await asyncio.start_server(between, address, port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])))
