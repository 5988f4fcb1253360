"""Reading the venue's state completely: every page of every list, or nothing. Without I/O: see `runtime.requests`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any, Final, TypeAlias, TypeVar

import numpy as np

from turbo_trader.bybit import decode, schemas
from turbo_trader.bybit.answers import Answer
from turbo_trader.bybit.commands import Call
from turbo_trader.market.events import BAR, Rows
from turbo_trader.trader.commands import Read
from turbo_trader.trader.events import (
    Fill,
    OrderReport,
    Outcome,
    PositionReport,
    ReadResult,
    Source,
    Transfer,
    WalletReport,
)

T = TypeVar("T")
Asking: TypeAlias = Generator[Any, Any, T]  # yields what a shell has to do, see `runtime.requests.Job`
Ask: TypeAlias = Callable[[Call], Asking[Answer]]

WEEK_MS: Final = 7 * 86_400_000 - 1_000
_PAGES: Final = 200  # more pages than this are not a list but a loop
_OVERLAP_MS: Final = 5_000  # fills are asked for from a little before the time given


class ReadFailed(Exception):
    """A page could not be had; `answer` says why."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.message)
        self.answer = answer


def pages(ask: Ask, method: str, group: str, params: Mapping[str, Any]) -> Asking[tuple[list[Any], int]]:
    """All items of a list and the venue's time (ms) of its first page; ReadFailed when a page is missing."""
    items: list[Any] = []
    cursor: str | None = None
    time_ms = 0
    for _ in range(_PAGES):
        answer = yield from ask(Call(method, group, {**params, "cursor": cursor}, protective=True))
        if not answer.ok:
            raise ReadFailed(answer)
        time_ms = time_ms or answer.time_ms
        page = answer.result.get("list") or []
        items.extend(page)
        following = answer.result.get("nextPageCursor") or ""
        if not page or not following or following == cursor:
            break
        cursor = following
    return items, time_ms


class Reader:
    """Carries out the Trader's `Read` commands. `now`: the venue's time, ns."""

    def __init__(self, ask: Ask, now: Callable[[], int]) -> None:
        self._ask = ask
        self._now = now

    def read(self, command: Read) -> Asking[ReadResult]:
        """The lists asked for, complete; or an outcome that is not CONFIRMED, and nothing else. Never raises."""
        asked = self._now()
        orders: list[OrderReport] = []
        fills: list[Fill] = []
        positions: list[PositionReport] = []
        wallet: WalletReport | None = None
        transfers: list[Transfer] = []
        try:
            if "positions" in command.what:
                positions = yield from self._positions(command.symbol, asked)
            if "orders" in command.what:
                orders += yield from self._orders(command.symbol, asked)
            if "order" in command.what:
                found, executed = yield from self._order(command, asked)
                orders += found
                fills += executed
            if "fills" in command.what:
                fills += yield from self._fills({"symbol": command.symbol or None}, command.since, asked)
            if "wallet" in command.what:
                wallet = yield from self._wallet(asked)
            if "transfers" in command.what:
                transfers += yield from self._transfers(command.since, asked)
        except ReadFailed as error:
            answer = error.answer
            outcome = (
                answer.verdict.outcome if answer.verdict.outcome is not Outcome.CONFIRMED else Outcome.UNKNOWN
            )
            return ReadResult(
                self._now(), command.id, outcome, asked, code=answer.code, message=answer.message
            )
        except schemas.Unreadable as error:
            return ReadResult(self._now(), command.id, Outcome.UNKNOWN, asked, code=-1, message=str(error))
        return ReadResult(
            self._now(),
            command.id,
            Outcome.CONFIRMED,
            asked,
            tuple(orders),
            _unique(fills),
            tuple(positions),
            wallet,
            tuple({each.id: each for each in transfers}.values()),
        )

    def _positions(self, symbol: str, asked: int) -> Asking[list[PositionReport]]:
        where = {"symbol": symbol} if symbol else {"settleCoin": "USDT"}
        items, time_ms = yield from pages(
            self._ask, "get_positions", "positions", {"category": "linear", "limit": 200, **where}
        )
        ts = time_ms * 1_000_000 or asked
        return [decode.position(item, ts, Source.REST) for item in schemas.convert(items, schemas.Position)]

    def _orders(self, symbol: str, asked: int) -> Asking[list[OrderReport]]:
        where = {"symbol": symbol} if symbol else {"settleCoin": "USDT"}
        params = {"category": "linear", "openOnly": 0, "limit": 50, **where}
        items, _ = yield from pages(self._ask, "get_open_orders", "realtime", params)
        return _orders(items, asked)

    def _order(self, command: Read, asked: int) -> Asking[tuple[list[OrderReport], list[Fill]]]:
        """One of our orders on every channel: open orders, history, executions."""
        params = {"category": "linear", "symbol": command.symbol, "orderLinkId": command.link_id}
        items, _ = yield from pages(self._ask, "get_open_orders", "realtime", params)
        orders = _orders(items, asked)
        items, _ = yield from pages(self._ask, "get_order_history", "history", params)
        orders += _orders(items, asked)
        items, _ = yield from pages(self._ask, "get_executions", "executions", {**params, "limit": 100})
        return orders, _fills(items, asked)

    def _fills(self, where: Mapping[str, Any], since: int, asked: int) -> Asking[list[Fill]]:
        """Executions since `since` (ns; 0: the venue's default of seven days), in windows shorter than seven days."""
        base = {"category": "linear", "limit": 100, **where}
        if not since:
            items, _ = yield from pages(self._ask, "get_executions", "executions", base)
            return _fills(items, asked)
        found: list[Fill] = []
        start = since // 1_000_000 - _OVERLAP_MS
        end = asked // 1_000_000 + _OVERLAP_MS
        while start < end:
            window = {"startTime": start, "endTime": min(end, start + WEEK_MS)}
            items, _ = yield from pages(self._ask, "get_executions", "executions", {**base, **window})
            found += _fills(items, asked)
            start += WEEK_MS
        return found

    def _transfers(self, since: int, asked: int) -> Asking[list[Transfer]]:
        """What the transaction log calls a transfer since `since` (ns), in windows shorter than seven days."""
        found: list[Transfer] = []
        start, end = since // 1_000_000, asked // 1_000_000 + _OVERLAP_MS
        while start < end:
            window = {"startTime": start, "endTime": min(end, start + WEEK_MS)}
            params = {"accountType": "UNIFIED", "limit": 50, **window}
            items, _ = yield from pages(self._ask, "get_transaction_log", "account", params)
            lines = (decode.transfer(item) for item in schemas.convert(items, schemas.LogLine))
            found += [each for each in lines if each is not None]
            start += WEEK_MS
        return found

    def _wallet(self, asked: int) -> Asking[WalletReport | None]:
        params = {"accountType": "UNIFIED"}
        items, time_ms = yield from pages(self._ask, "get_wallet_balance", "wallet", params)
        for item in schemas.convert(items, schemas.Wallet):
            report = decode.wallet(item, time_ms * 1_000_000 or asked, Source.REST)
            if report is not None:
                return report
        return None


def minute_bars(ask: Ask, symbol: str, minutes: int, now: int) -> Asking[Rows]:
    """The last closed one-minute bars (BAR rows, oldest first), at most `minutes`, ending before the minute `now` (ns) is in."""
    end = now // 60_000_000_000 * 60_000  # ms: start of the unfinished candle
    start = end - minutes * 60_000
    bars: dict[int, tuple[float, ...]] = {}
    cursor = end
    while cursor > start:
        first = max(start, cursor - 1_000 * 60_000)
        params = {
            "category": "linear", "symbol": symbol, "interval": "1", "start": first, "end": cursor - 60_000, "limit": 1_000,
        }  # fmt: skip
        answer = yield from ask(Call("get_kline", "market", params))
        if not answer.ok:
            raise ReadFailed(answer)
        for row in answer.result.get("list") or ():
            opened = int(row[0])
            if start <= opened < end:
                bars[opened] = tuple(float(value) for value in row[1:7])
        cursor = first
    found = np.zeros(len(bars), BAR)
    for i, opened in enumerate(sorted(bars)):
        found[i] = (opened * 1_000_000, *bars[opened])
    return found


def _orders(items: list[Any], asked: int) -> list[OrderReport]:
    return [decode.order(item, asked, Source.REST) for item in schemas.convert(items, schemas.Order)]


def _fills(items: list[Any], asked: int) -> list[Fill]:
    return [decode.fill(item, asked, Source.REST) for item in schemas.convert(items, schemas.Execution)]


def _unique(fills: list[Fill]) -> tuple[Fill, ...]:
    """Each execution once, oldest first: pages may repeat rows."""
    return tuple(
        sorted({fill.exec_id: fill for fill in fills}.values(), key=lambda fill: (fill.ts, fill.seq))
    )
