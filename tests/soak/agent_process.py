"""The agent as it is, and beside it a thread that tells on a socket which tasks, threads and objects it has.

Ask by connecting to the Unix socket beside the agent's settings: one JSON object comes back. With
HALSORUM_SOAK_TRACE=1 in the environment it also holds where most memory was got since the last question.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
import sys
import threading
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any

from agent.__main__ import main

NAME = "soak"
"""Of the socket's file, and of the thread, which is left out of what is told."""
TRACE = bool(os.environ.get("HALSORUM_SOAK_TRACE"))
TYPES_TOLD = 60
PLACES_TOLD = 25


def ask(settings_folder: Path) -> dict[str, Any]:
    """The answer of the agent whose settings are in this folder."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(30)
        asking.connect(str(settings_folder / f"{NAME}.sock"))
        return json.loads(b"".join(iter(lambda: asking.recv(1 << 16), b"")))  # type: ignore[no-any-return]


def _held(before: list[tracemalloc.Snapshot]) -> dict[str, Any]:
    gc.collect()
    objects = gc.get_objects()
    tasks = [each for each in objects if isinstance(each, asyncio.Task) and not each.done()]
    kinds = Counter(f"{type(each).__module__}.{type(each).__qualname__}" for each in objects)
    del objects
    told: dict[str, Any] = {
        "tasks": sorted(getattr(task.get_coro(), "__qualname__", task.get_name()) for task in tasks),
        "threads": sorted(thread.name for thread in threading.enumerate() if thread.name != NAME),
        "objects": dict(kinds.most_common(TYPES_TOLD)),
    }
    if TRACE:
        snapshot = tracemalloc.take_snapshot()
        if before:
            grown = snapshot.compare_to(before[0], "lineno")[:PLACES_TOLD]
            told["grown"] = [str(place) for place in grown]
        else:
            before.append(snapshot)
    return told


def _tell(listening: socket.socket) -> None:
    before: list[tracemalloc.Snapshot] = []
    while True:
        asking, _ = listening.accept()
        with asking:
            asking.sendall(json.dumps(_held(before)).encode())


def _listen(settings_folder: Path) -> None:
    place = settings_folder / f"{NAME}.sock"
    place.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(place))
    place.chmod(0o600)
    listening.listen()
    threading.Thread(target=_tell, args=(listening,), name=NAME, daemon=True).start()


if __name__ == "__main__":
    if TRACE:
        tracemalloc.start(4)
    _listen(Path(sys.argv[sys.argv.index("--config") + 1]).parent)
    sys.exit(main())
