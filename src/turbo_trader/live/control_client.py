"""Asks a running daemon through its control port (`control` answers). Light: `status` needs nothing else of `live`."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Any

from turbo_trader.live.registry import Running
from turbo_trader.market.errors import InputError

HOST = "127.0.0.1"


def ask(
    daemon: Running, verb: str, args: Mapping[str, Any] | None = None, timeout: float = 5.0
) -> dict[str, Any]:
    """Ask a running daemon; InputError when it does not answer or refuses."""
    who = f"daemon {daemon.name} (process {daemon.pid})"
    if not daemon.port:
        raise InputError(f"{who}: it is still starting; try again")
    request = json.dumps({"token": daemon.token, "verb": verb, "args": dict(args or {})}).encode() + b"\n"
    try:
        with socket.create_connection((HOST, daemon.port), timeout) as connection:
            connection.sendall(request)
            with connection.makefile("rb") as file:
                reply = dict(json.loads(file.readline()))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        text = getattr(error, "strerror", None) or str(error) or "no answer"
        raise InputError(f"{who}: it does not answer: {text}") from None
    if not reply.pop("ok", False):
        raise InputError(f"{who} refused: {reply.get('error')}")
    return reply
