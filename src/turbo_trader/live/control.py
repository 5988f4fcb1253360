"""The running daemon's ear: JSON lines over loopback, opened by a token that only the owner of the journal folder can read."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from turbo_trader.journal.encoding import encode
from turbo_trader.market.errors import InputError

FILE = "control.json"
VERBS = ("status", "halt", "resume", "flatten", "stop", "session_new")
_LIMIT = 65_536

Answer = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]


class ControlServer:
    """Listens while entered. `answer(verb, args)` runs on the event loop and returns what is sent back."""

    def __init__(self, folder: Path, answer: Answer) -> None:
        self._path = folder / FILE
        self._answer = answer
        self._token = secrets.token_urlsafe(24)
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_LIMIT)
        port = self._server.sockets[0].getsockname()[1]
        self._write({"host": "127.0.0.1", "port": port, "token": self._token, "pid": os.getpid()})
        return self

    async def __aexit__(self, *_: object) -> None:
        self._path.unlink(missing_ok=True)
        if self._server is not None:
            self._server.close()

    def _write(self, address: dict[str, Any]) -> None:
        """The address, readable by us alone from its first byte on."""
        self._path.unlink(missing_ok=True)
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(address, file)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(5):
                line = await reader.readline()
            writer.write(encode(self._reply(line)) + b"\n")
            await writer.drain()
        except (OSError, TimeoutError, ValueError):
            pass
        finally:
            writer.close()

    def _reply(self, line: bytes) -> Mapping[str, Any]:
        try:
            asked = json.loads(line)
            token, verb, args = str(asked["token"]), str(asked["verb"]), dict(asked.get("args") or {})
        except (ValueError, KeyError, TypeError):
            return {"ok": False, "error": "not a request"}
        if not secrets.compare_digest(token.encode(), self._token.encode()):
            return {"ok": False, "error": "wrong token"}
        if verb not in VERBS:
            return {"ok": False, "error": f"unknown verb {verb!r}; known: {', '.join(VERBS)}"}
        return {"ok": True, **self._answer(verb, args)}


def ask(
    folder: Path, verb: str, args: Mapping[str, Any] | None = None, timeout: float = 5.0
) -> dict[str, Any]:
    """Ask the daemon of this journal folder; InputError when none is running there or it refuses."""
    try:
        address = json.loads((folder / FILE).read_text())
    except (OSError, ValueError):
        raise InputError(
            f"journal folder {folder}: no daemon is running here; start one with `turbo-trader run`"
        ) from None
    request = json.dumps({"token": address["token"], "verb": verb, "args": dict(args or {})}).encode() + b"\n"
    try:
        with socket.create_connection((address["host"], address["port"]), timeout) as connection:
            connection.sendall(request)
            with connection.makefile("rb") as file:
                reply = json.loads(file.readline())
    except (OSError, ValueError) as error:
        text = getattr(error, "strerror", None) or str(error) or "no answer"
        raise InputError(
            f"the daemon of {folder} (process {address.get('pid')}) does not answer: {text}"
        ) from None
    if not reply.pop("ok", False):
        raise InputError(f"the daemon refused: {reply.get('error')}")
    return dict(reply)
