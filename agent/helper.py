"""Asks the small program that runs as root (firmware/helper.py) for what the agent itself may not do."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

POLL_S = 0.2
ANSWER_WITHIN_S = 20.0


class HelperFailed(RuntimeError):
    """It could not, or does not answer; the text says which."""


class Helper:
    """Requests are files in a folder that systemd watches (systemd/halsorum-helper.path)."""

    def __init__(self, folder: Path, answer_within_s: float | None = None) -> None:
        self._folder = folder
        self._answer_within_s = answer_within_s

    async def ask(
        self, name: str, *, within_s: float | None = None, **values: object
    ) -> Mapping[str, object]:
        """Have it done; what was answered. Raises HelperFailed."""
        request = {**values, "id": secrets.token_hex(8)}
        try:
            asked = self._leave(name, request)
        except OSError as error:
            raise HelperFailed(f"it could not be asked for: {error.strerror}") from None
        try:
            async with asyncio.timeout(within_s or self._answer_within_s or ANSWER_WITHIN_S):
                answer = await self._answer(name, str(request["id"]))
        except TimeoutError:
            raise HelperFailed(
                f"halsorum-{self._folder.name}.service does not answer; is it installed on this unit?"
            ) from None
        finally:
            asked.unlink(missing_ok=True)  # nobody waits any more: it must not be done tomorrow
        if not answer.get("ok"):
            raise HelperFailed(str(answer.get("reason") or "it did not say why")[:300])
        return answer

    def _leave(self, name: str, request: Mapping[str, object]) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = self._folder / f"{name}.new"
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(request, file)
        return new.replace(self._folder / f"{name}.request")

    async def _answer(self, name: str, request_id: str) -> dict[str, Any]:
        file = self._folder / f"{name}.answer"
        while True:
            try:
                answer = json.loads(file.read_bytes())
            except (OSError, ValueError):
                answer = {}
            if isinstance(answer, dict) and answer.get("id") == request_id:
                return answer
            await asyncio.sleep(POLL_S)
