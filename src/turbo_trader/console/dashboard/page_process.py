"""The page as a process: its token, its port, its log, until it is ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import structlog
import uvicorn

from turbo_trader.console.dashboard.access import Access, read_token, token_file
from turbo_trader.console.dashboard.elsewhere import Elsewhere
from turbo_trader.console.dashboard.routes import Dashboard
from turbo_trader.console.dashboard.shown_daemons import Daemons
from turbo_trader.console.output import say
from turbo_trader.console.structured_logs import open_log
from turbo_trader.journal.address import Address
from turbo_trader.market.errors import InputError

PORT = 8137


def serve(base: Path, host: str, port: int, *, there: Address | None = None, as_json: bool = False) -> None:
    """Serve until SIGINT or SIGTERM; the ready line names the address. InputError where it cannot listen there.

    `there`: a database whose daemons are shown beside those of this user.
    """
    token, fresh = read_token()
    listening = _listen(host, port)
    open_log(base / "dashboard", level="info", terminal=True, secrets=(token,))
    where = f"http://{_shown(host)}:{listening.getsockname()[1]}"
    if fresh:
        say(
            f"token, shown this once: {token} (kept in {token_file()}; `turbo-trader dashboard --token` shows it again)"
        )
    if not ip_address(host).is_loopback:
        say(
            f"{host}: whoever reaches this address may try tokens, and nothing is encrypted; an ssh tunnel is safer"
        )
    dashboard = Dashboard(Access(token), base, _emit, Daemons(others=Elsewhere(base, there).known))
    config = uvicorn.Config(
        dashboard.app(), log_config=None, access_log=False, server_header=False, proxy_headers=False, ws="none",
        lifespan="off", timeout_graceful_shutdown=2,
    )  # fmt: skip
    print(json.dumps({"ready": where}) if as_json else f"dashboard ready: {where}", flush=True)
    with listening, contextlib.suppress(KeyboardInterrupt):
        asyncio.run(uvicorn.Server(config).serve(sockets=[listening]))


def _emit(name: str, level: str, fields: dict[str, Any]) -> None:
    structlog.get_logger().log(_LEVELS[level], name, **fields)


_LEVELS = {"info": 20, "warning": 30, "error": 40}


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
    except ValueError:
        raise InputError(f"--host {host!r}: must be an IP address, such as 127.0.0.1") from None
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(64)
    except OSError as error:
        listening.close()
        raise InputError(f"--port {port}: {error.strerror}; choose another one, 0 for any") from None
    return listening


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
