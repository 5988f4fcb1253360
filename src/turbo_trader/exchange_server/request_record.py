"""The record of a venue: its requests and answers, one JSON object per line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from turbo_trader.exchange.protocol.wire import encode
from turbo_trader.market.errors import InputError


class RequestRecord:
    """Appends to `path`, line by line, so that nothing is lost where the process is killed. InputError where it cannot be written;
    a folder that is not there is not made: it may be a slip of the pen.

    Requests with their answers, operations of streams with theirs, messages of the private streams. Public market frames are left
    out. No signature is kept, and the secrets of keys are sent to nobody.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise InputError(
                f"--record {path}: {error.strerror}: name a file in a folder that is there"
            ) from None

    def request(self, now: int, request: Request, body: bytes, answer: Response, fault: str) -> None:
        """A request of REST and its answer. `fault`: the name of the fault that it met, or ""; some send no answer."""
        asked = {"method": request.method, "path": str(request.scope["path"]),
                 "query": request.scope["query_string"].decode(errors="replace"), "body": _value(body)}  # fmt: skip
        self._write("request", now, key=request.headers.get("x-bapi-api-key", ""), asked=asked,
                    status=answer.status_code, answer=_value(bytes(answer.body)), fault=fault)  # fmt: skip

    def operation(self, now: int, connection: str, asked: bytes, answers: Sequence[bytes]) -> None:
        """An operation that came by a stream, and its answers; of `auth` the key alone."""
        said = _value(asked)
        if isinstance(said, dict) and said.get("op") == "auth":
            args = said.get("args")
            said = {**said, "args": args[:1] if isinstance(args, list) else []}
        self._write("operation", now, connection=connection, asked=said, answers=list(map(_value, answers)))

    def messages(self, now: int, connection: str, frames: Sequence[bytes]) -> None:
        """What was sent on a private stream without being asked for."""
        for frame in frames:
            self._write("message", now, connection=connection, sent=_value(frame))

    def close(self) -> None:
        """Nothing more comes."""
        self._file.close()

    def _write(self, kind: str, now: int, **fields: Any) -> None:
        self._file.write(encode({"kind": kind, "now_ms": now // 1_000_000, **fields}) + b"\n")


def _value(raw: bytes) -> Any:
    """The JSON value, or the text of what is none."""
    try:
        return msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        return raw.decode(errors="replace")
