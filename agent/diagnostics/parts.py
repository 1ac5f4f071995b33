"""Collects the parts of a bundle side by side, each bounded in time and size; one that fails harms no other."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from agent.faults import kind_and_place

PART_TIMEOUT_S = 15.0
PART_BYTES_MAX = 512 * 1024
Collect = Callable[[], object]
"""Gives text, or what becomes JSON. Called on a thread of its own, where it may wait."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a bundle; `fault` says why it is not there, or not whole."""

    name: str
    text: str
    fault: str = ""


async def collect(collectors: Mapping[str, Collect], timeout_s: float = PART_TIMEOUT_S) -> list[Part]:
    """All parts, in their order, after timeout_s at the latest."""
    return list(
        await asyncio.gather(*(_part(name, collect, timeout_s) for name, collect in collectors.items()))
    )


async def _part(name: str, collect: Collect, timeout_s: float) -> Part:
    try:
        found = await asyncio.wait_for(_on_thread(collect), timeout_s)
        text = (
            found if isinstance(found, str) else json.dumps(found, ensure_ascii=False, indent=1, default=str)
        )
    except TimeoutError:
        return Part(name, "", f"took longer than {timeout_s:.0f} s")
    except Exception as error:
        return Part(name, "", kind_and_place(error))
    if len(text.encode(errors="replace")) > PART_BYTES_MAX:
        # The end of a journal says more than its beginning; four bytes is the most that a character takes.
        return Part(name, text[-PART_BYTES_MAX // 4 :], "only its end: it was longer")
    return Part(name, text)


async def _on_thread(work: Collect) -> object:
    """As asyncio.to_thread, but a thread that hangs does not keep the process from ending."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[object] = loop.create_future()

    def run() -> None:
        result: object = None
        error: Exception | None = None
        try:
            result = work()
        except Exception as raised:
            error = raised
        with suppress(RuntimeError):  # the loop has ended meanwhile: nobody waits any more
            loop.call_soon_threadsafe(_answer, answer, result, error)

    threading.Thread(target=run, name="diagnostics", daemon=True).start()
    return await answer


def _answer(answer: asyncio.Future[object], result: object, error: Exception | None) -> None:
    if answer.done():
        return
    if error is not None:
        answer.set_exception(error)
    else:
        answer.set_result(result)
