"""The page served on a port of its own, and a daemon that is only a control port and a journal."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest
import uvicorn
from tests.reports.conftest import BEGIN, write_run

from turbo_trader.console.dashboard.access import Access
from turbo_trader.console.dashboard.routes import Dashboard
from turbo_trader.live.control_server import ControlServer
from turbo_trader.live.registry import Kind, Registration, Registry

if TYPE_CHECKING:
    from tests.journal.postgres import Postgres

TOKEN = "a-token-that-nobody-guesses-in-a-test"


@dataclass
class Answer:
    """What the page answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The object of its body."""
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class Served:
    """A page that answers, and what it logged."""

    port: int
    logged: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request as it is given, path and Host too."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        raw = json.dumps(body).encode() if body is not None else None
        if raw is not None:
            given = {"Content-Type": "application/json", "Origin": self.address, **given}
        connection.request(method, path, raw, {name: value for name, value in given.items() if value})
        answer = connection.getresponse()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())

    def enter(self) -> str:
        """Log in; the cookie."""
        answer = self.ask("POST", "/login", {"token": TOKEN})
        assert answer.status == 200
        return answer.headers["set-cookie"].partition(";")[0]


class FakeDaemon:
    """Registered and asked like a daemon. `view` may be changed; `asked` has every verb but status."""

    def __init__(self, folder: Path, positions: tuple[dict[str, Any], ...] = ()) -> None:
        self.folder = folder
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.view: dict[str, Any] = {
            "equity": Decimal("101.5"), "session_result": Decimal("0.015"), "refusal": "", "lifted_by": "",
            "limits": {"session result": Decimal("0.1"), "drawdown": Decimal("0.85")}, "capital_tier": "growing",
            "positions": list(positions), "stages": {"A": "scout", "B": "shadow"}, "evidence": "5 trades: watching only",
        }  # fmt: skip
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        self._begun = threading.Event()
        self.registration: Registration
        self._thread = threading.Thread(
            target=self._loop.run_until_complete, args=(self._run(),), daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._begun.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)

    async def _run(self) -> None:
        with Registry(Kind.DAEMON).claim("paper", self.folder) as self.registration:
            async with ControlServer(self.registration, self._answer):
                self._begun.set()
                await self._end.wait()

    def _answer(self, verb: str, args: Mapping[str, Any]) -> dict[str, Any]:
        if verb != "status":
            self.asked.append((verb, dict(args)))
        if verb == "flatten":
            self.view |= {"positions": [], "refusal": "halted: flatten", "lifted_by": "`turbo-trader resume`"}
        trader = {
            "start_equity": 100,
            "net_pnl": Decimal("1.5"),
            "fees": Decimal("0.5"),
            "trades": 4,
            "wins": 2,
            "losses": 2,
        }
        return {"mode": "paper", "venue_time": BEGIN + 3 * 3_600 * 10**9, "view": self.view, "trader": trader}


@contextmanager
def serve_page(base: Path) -> Iterator[Served]:
    """The page over the registry of this test and the runs in `base`."""
    listening = socket.create_server(("127.0.0.1", 0))
    served = Served(listening.getsockname()[1])
    dashboard = Dashboard(Access(TOKEN), base, lambda name, _, fields: served.logged.append((name, fields)))
    server = uvicorn.Server(
        uvicorn.Config(dashboard.app(), log_config=None, access_log=False, lifespan="off", ws="none")
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < until
        time.sleep(0.01)
    yield served
    server.should_exit = True
    thread.join(10)
    listening.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """The page without any daemon."""
    with serve_page(tmp_path) as page:
        yield page


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[FakeDaemon]:
    """A daemon with four closed trades and one open position."""
    folder = write_run(tmp_path / "paper-1", 4, still_open=True, ended=False)
    held = {
        "symbol": "BTCUSDT", "direction": 1, "qty": "1", "entry": "100.01", "price": "100.5", "stop": "99.6", "target": "100.8",
        "zone": 0, "extensions": 0, "seconds": 600, "reason": "",
    }  # fmt: skip
    with ExitStack() as stack:
        yield stack.enter_context(FakeDaemon(folder, (held,)))


@pytest.fixture
def server() -> Iterator[Postgres]:
    """A PostgreSQL server of its own."""
    from tests.journal.postgres import Postgres

    started = Postgres()
    yield started
    started.remove()
