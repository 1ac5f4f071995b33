"""Questions and answers between the bench and a sender's process: one JSON object a line."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Handler = Callable[..., Awaitable[dict[str, Any]]]
LINE_BYTES_MAX = 1 << 20


async def answer_lines(handlers: Mapping[str, Handler]) -> None:
    """In the sender: call handlers[ask](**fields) for each line of standard input, until it ends."""
    reader = asyncio.StreamReader(LINE_BYTES_MAX)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while line := await reader.readline():
        fields = json.loads(line)
        answer = await handlers[fields.pop("ask")](**fields)
        print(json.dumps(answer), flush=True)


class Child:
    """In the bench: one sender's process, which ends with close()."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, module: str, *arguments: str) -> Child:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *arguments,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LINE_BYTES_MAX,
        )  # fmt: skip
        return cls(process)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ask(self, ask: str, **fields: object) -> dict[str, Any]:
        """One question, one answer. RuntimeError if the process has ended."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"ask": ask, **fields}).encode() + b"\n")
        line = await asyncio.wait_for(self._process.stdout.readline(), timeout=20)
        if not line:
            raise RuntimeError(f"the sender ended at the question {ask!r}; its reason is above")
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def close(self) -> None:
        """End it in peace, or after 3 s without."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), timeout=3)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
