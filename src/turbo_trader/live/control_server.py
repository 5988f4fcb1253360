"""The running daemon's control port: JSON lines over loopback, opened by a token that only its user can read (`registry`)."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Self

from turbo_trader.journal.encoding import encode
from turbo_trader.live.async_contexts import wall_timeout
from turbo_trader.live.control_client import HOST
from turbo_trader.live.registry import Registration
from turbo_trader.trader.control_verbs import STATUS, ControlVerb

VERBS = (STATUS, *ControlVerb)
_LIMIT = 65_536
_PATIENCE_S = 5.0

Answer = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]


class ControlServer:
    """Listens while entered, and says so in the registry. `answer(verb, args)` runs on the event loop; its result is sent back."""

    def __init__(self, registration: Registration, answer: Answer) -> None:
        self._registration = registration
        self._answer = answer
        self._token = secrets.token_urlsafe(24)
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, HOST, 0, limit=_LIMIT)
        self._registration.listen(self._server.sockets[0].getsockname()[1], self._token)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with wall_timeout(_PATIENCE_S):
                line = await self._line(reader)
            writer.write(encode(self._reply(line)) + b"\n")
            await writer.drain()
        except (OSError, TimeoutError, ValueError):
            pass
        finally:
            writer.close()

    @staticmethod
    async def _line(reader: asyncio.StreamReader) -> bytes:
        """One line; b"" where it is longer than any request."""
        try:
            return await reader.readline()
        except ValueError:
            return b""

    def _reply(self, line: bytes) -> Mapping[str, Any]:
        try:
            asked = json.loads(line)
            token, verb, args = (
                str(asked["token"]).encode(),
                str(asked["verb"]),
                dict(asked.get("args") or {}),
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {"ok": False, "error": "not a request"}
        if not secrets.compare_digest(token, self._token.encode()):
            return {"ok": False, "error": "wrong token"}
        if verb not in VERBS:
            return {"ok": False, "error": f"unknown verb {verb!r}; known: {', '.join(VERBS)}"}
        return {"ok": True, **self._answer(verb, args)}
