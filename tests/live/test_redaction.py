"""Whatever a venue echoes back, key and secret reach no log line, no journal row, no exception and no terminal."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import structlog
from tests.canned_servers import Canned, Request, canned

from turbo_trader.bybit.command_calls import Call
from turbo_trader.bybit.endpoints import Endpoints, Keys
from turbo_trader.console.observer import ConsoleObserver
from turbo_trader.console.structured_logs import open_log
from turbo_trader.journal.store import Journal
from turbo_trader.live.gateway import Gateway
from turbo_trader.live.router import Router
from turbo_trader.live.venue_clock import VenueClock
from turbo_trader.rules.policy import Policy
from turbo_trader.runtime.venue_requests import Lane
from turbo_trader.trader.commands import Read
from turbo_trader.trader.events import ReadResult

KEY, SECRET = "KEYKEYKEYKEYKEYKEY", "SECRETSECRETSECRETSECRET"
ECHO = f"origin_string[1770000000000{KEY}5000] secret[{SECRET}]"
ANSWERS: dict[str, tuple[int, bytes]] = {
    "/v5/account/info": (200, json.dumps({"retCode": 10004, "retMsg": f"error sign! {ECHO}"}).encode()),
    "/v5/position/list": (200, json.dumps({"retCode": 10001, "retMsg": ECHO}).encode()),
    "/v5/order/create": (200, json.dumps({"retCode": 110007, "retMsg": ECHO}).encode()),
    "/v5/user/query-api": (500, ECHO.encode()),
    "/v5/account/wallet-balance": (200, ECHO.encode()),  # not JSON
    "/v5/order/realtime": (200, json.dumps([ECHO]).encode()),
    "/v5/execution/list": (200, json.dumps({"retCode": ECHO}).encode()),
    "/v5/order/history": (0, b""),  # the connection is dropped
}


@pytest.fixture
def rest() -> Iterator[str]:
    def answer(asked: Request) -> Canned | None:
        status, data = ANSWERS[asked.target.partition("?")[0]]
        return Canned(data, status, ECHO, {"X-Echo": ECHO}) if status else None

    with canned(answer) as url:
        yield url


@pytest.fixture
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers = handlers
    root.setLevel(level)


class Emitting:
    """A Trader that only hears."""

    states: Any = None

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def handle(self, event: Any) -> list[Any]:
        self.heard.append(event)
        if getattr(event, "message", "") == "raise":
            raise ValueError(ECHO)
        return []

    def take_rows(self, ts: int, s: int, rows: Any) -> bool:
        return False

    def idle_until(self, symbols: Sequence[int]) -> int:
        return 0

    def next_time(self) -> int:
        return 1 << 62

    def view(self) -> Any:
        return {}

    def summary(self) -> dict[str, Any]:
        return {}


def contents(folder: Path) -> list[bytes]:
    return [item.read_bytes() for item in folder.iterdir() if item.is_file()]


async def test_nothing_that_is_written_or_raised_shows_key_or_secret(
    rest: str, tmp_path: Path, restored_logging: None, capfd: pytest.CaptureFixture[str]
) -> None:
    keys, clock = Keys(KEY, SECRET), VenueClock()
    path = open_log(tmp_path, level="debug", terminal=True, secrets=(KEY, SECRET))
    journal = Journal(tmp_path, ["BTCUSDT"])
    router = Router(journal, clock, keys, ConsoleObserver(Policy()))
    trader = Emitting()
    gateway = Gateway(Endpoints("testnet", rest, "", ""), keys, clock, router.emit, 2.0)
    router.trader, router.gateway = trader, gateway
    order = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Market", "qty": "1"}
    where = {"category": "linear", "symbol": "BTCUSDT"}
    calls = [
        Call("get_account_info", "account", {}), Call("place_order", "create", order), Call("get_positions", "positions", where),
        Call("get_api_key_information", "key", {}), Call("get_wallet_balance", "wallet", {"accountType": "UNIFIED"}),
        Call("get_open_orders", "realtime", where), Call("get_executions", "executions", where),
        Call("get_order_history", "history", where),
    ]  # fmt: skip
    answers = await asyncio.gather(*(gateway.request(Lane.READS, call) for call in calls))
    assert all(not answer.ok for answer in answers)
    read = await gateway.execute_read(Read("r", ("positions",), "BTCUSDT"))
    router.deliver(read)
    log = logging.getLogger("a.library")
    for answer in answers:
        log.warning("answer %s", answer)
    try:
        raise RuntimeError(ECHO)
    except RuntimeError:
        log.exception("it failed")
    structlog.get_logger("ours").warning("odd", error=ValueError(ECHO), said=[ECHO, {KEY: SECRET}])
    router.fail("the trader failed", ValueError(ECHO))
    journal.flush()
    await gateway.close()
    journal.close(clock.now(), router.reason)
    assert isinstance(trader.heard[0], ReadResult)
    assert b"error sign" in path.read_bytes()  # it was reported, without the secret
    reported = capfd.readouterr()
    texts = [
        reported.out,
        reported.err,
        repr(answers),
        repr(read),
        router.reason,
        repr(keys),
        repr(gateway.__dict__),
    ]
    written = await asyncio.to_thread(contents, tmp_path)
    assert len(written) >= 3
    for data in [*written, *(text.encode() for text in texts)]:
        assert KEY.encode() not in data
        assert SECRET.encode() not in data
