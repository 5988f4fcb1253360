"""Reading the venue's state completely: every page of every list, or nothing. Without I/O: see `runtime.venue_requests`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any, Final, TypeAlias, TypeVar

import numpy as np

from turbo_trader.bybit import decode
from turbo_trader.bybit.answers import Answer, unreadable
from turbo_trader.bybit.command_calls import Call
from turbo_trader.bybit.schemas import OddRow, decimal
from turbo_trader.bybit.venue_errors import NO_ANSWER
from turbo_trader.market.rows import BAR, Rows
from turbo_trader.trader.commands import Read
from turbo_trader.trader.events import (
    Fill,
    OrderReport,
    Outcome,
    PositionReport,
    ReadResult,
    Report,
    Source,
    Transfer,
    WalletReport,
)

T = TypeVar("T")
Asking: TypeAlias = Generator[Any, Any, T]  # yields what a shell has to do, see `runtime.venue_requests.Job`
Ask: TypeAlias = Callable[[Call], Asking[Answer]]

WEEK_MS: Final = 7 * 86_400_000 - 1_000
INTERVALS: Final[Mapping[int, str]] = {
    **{minutes: str(minutes) for minutes in (1, 3, 5, 15, 30, 60, 120, 240, 360, 720)},
    1_440: "D",
}  # minutes of a candle -> its name at the venue
_PAGES: Final = 200  # more pages than this are not a list but a loop
_LATEST_MS: Final = 2**63 // 1_000_000
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
        page, following = answer.result.get("list", ""), answer.result.get("nextPageCursor") or ""
        page = [] if page is None else page  # an empty list, as some servers write it
        if not isinstance(page, list) or not isinstance(following, str):
            raise ReadFailed(unreadable(f"{method}: no list, or a cursor that is no text", answer.sent))
        items.extend(page)
        if not page or not following or following == cursor:
            break
        cursor = following
    return items, time_ms


class Reader:
    """Carries out the Trader's `Read` commands. `now`: the venue's time, ns.

    `on_odd` is called for each row that cannot be read.
    """

    def __init__(
        self, ask: Ask, now: Callable[[], int], on_odd: Callable[[OddRow], None] = lambda _: None
    ) -> None:
        self._ask = ask
        self._now = now
        self._on_odd = on_odd

    def read(self, command: Read) -> Asking[ReadResult]:
        """The lists asked for, complete; or an outcome that is not CONFIRMED, and nothing else. Never raises.

        A row that cannot be read is left out and its symbol is `unread`. Where one symbol is asked for, the read fails.
        """
        asked = self._now()
        lists = _Lists()
        try:
            for what in command.what:
                yield from self._list(what, command, asked, lists)
        except ReadFailed as error:
            answer = error.answer
            outcome = (
                answer.verdict.outcome if answer.verdict.outcome is not Outcome.CONFIRMED else Outcome.UNKNOWN
            )
            return ReadResult(
                ts=self._now(),
                id=command.id,
                outcome=outcome,
                asked_ts=asked,
                code=answer.code,
                message=answer.message,
            )
        for odd in lists.odd:
            self._on_odd(odd)
        if command.symbol and lists.odd:
            why = f"a row that cannot be read: {lists.odd[0].why}"
            return ReadResult(
                ts=self._now(),
                id=command.id,
                outcome=Outcome.UNKNOWN,
                asked_ts=asked,
                code=NO_ANSWER,
                message=why,
            )
        return lists.result(self._now(), command.id, asked)

    def _list(self, what: str, command: Read, asked: int, lists: _Lists) -> Asking[None]:
        symbol = {"symbol": command.symbol} if command.symbol else {"settleCoin": "USDT"}
        mine = {"category": "linear", "symbol": command.symbol, "orderLinkId": command.link_id}
        match what:
            case "positions":
                where = {"category": "linear", "limit": 200, **symbol}
                items, time_ms = yield from pages(self._ask, "get_positions", "positions", where)
                lists.add(items, "position", time_ms * 1_000_000 or asked)
            case "orders":
                where = {"category": "linear", "openOnly": 0, "limit": 50, **symbol}
                items, _ = yield from pages(self._ask, "get_open_orders", "realtime", where)
                lists.add(items, "order", asked)
            case "order":  # one of our orders on every channel: open orders, history, executions
                items, _ = yield from pages(self._ask, "get_open_orders", "realtime", mine)
                lists.add(items, "order", asked)
                items, _ = yield from pages(self._ask, "get_order_history", "history", mine)
                lists.add(items, "order", asked)
                items, _ = yield from pages(self._ask, "get_executions", "executions", {**mine, "limit": 100})
                lists.add(items, "execution", asked)
            case "fills":
                yield from self._fills({"symbol": command.symbol or None}, command.since, asked, lists)
            case "wallet":
                where = {"accountType": "UNIFIED"}
                items, time_ms = yield from pages(self._ask, "get_wallet_balance", "wallet", where)
                lists.add(items, "wallet", time_ms * 1_000_000 or asked)
            case "transfers":
                yield from self._transfers(command.since, asked, lists)

    def _fills(self, where: Mapping[str, Any], since: int, asked: int, lists: _Lists) -> Asking[None]:
        """Executions since `since` (ns; 0: the venue's default of seven days), in windows shorter than seven days."""
        base = {"category": "linear", "limit": 100, **where}
        if not since:
            items, _ = yield from pages(self._ask, "get_executions", "executions", base)
            lists.add(items, "execution", asked)
            return
        start = since // 1_000_000 - _OVERLAP_MS
        end = asked // 1_000_000 + _OVERLAP_MS
        while start < end:
            window = {"startTime": start, "endTime": min(end, start + WEEK_MS)}
            items, _ = yield from pages(self._ask, "get_executions", "executions", {**base, **window})
            lists.add(items, "execution", asked)
            start += WEEK_MS

    def _transfers(self, since: int, asked: int, lists: _Lists) -> Asking[None]:
        """What the transaction log calls a transfer since `since` (ns), in windows shorter than seven days."""
        start, end = since // 1_000_000, asked // 1_000_000 + _OVERLAP_MS
        while start < end:
            window = {"startTime": start, "endTime": min(end, start + WEEK_MS)}
            params = {"accountType": "UNIFIED", "limit": 50, **window}
            items, _ = yield from pages(self._ask, "get_transaction_log", "transactions", params)
            lists.add_log(items)
            start += WEEK_MS


class _Lists:
    """What one `Read` has brought so far."""

    def __init__(self) -> None:
        self.odd: list[OddRow] = []
        self._reports: list[Report] = []
        self._transfers: dict[str, Transfer] = {}

    def add_log(self, items: Iterable[object]) -> None:
        found, odd = decode.transfers(items)
        self._transfers |= {each.id: each for each in found}
        self.odd += odd

    def add(self, items: Iterable[object], topic: str, ts: int) -> None:
        found, odd = decode.reports(items, topic, ts, Source.REST)
        self._reports += found
        self.odd += odd

    def result(self, now: int, name: str, asked: int) -> ReadResult:
        fills = [each for each in self._reports if isinstance(each, Fill)]
        return ReadResult(
            ts=now, id=name, outcome=Outcome.CONFIRMED, asked_ts=asked,
            orders=tuple(each for each in self._reports if isinstance(each, OrderReport)),
            fills=_unique(fills),
            positions=tuple(each for each in self._reports if isinstance(each, PositionReport)),
            wallet=next((each for each in self._reports if isinstance(each, WalletReport)), None),
            transfers=tuple(self._transfers.values()),
            unread=tuple(sorted({odd.symbol for odd in self.odd})),
        )  # fmt: skip


def closed_bars(ask: Ask, symbol: str, count: int, now: int, *, minutes: int = 1) -> Asking[Rows]:
    """The last closed bars (BAR rows, oldest first) of `minutes` each, at most `count`, of those that had ended at `now` (ns).

    What the venue's own clock had not closed when it answered is left out, whatever ours says. `minutes`: an interval
    that the venue has (INTERVALS).
    """
    step = minutes * 60_000
    end = now // (step * 1_000_000) * step  # ms: start of the unfinished candle
    start = end - count * step
    bars: dict[int, tuple[float, ...]] = {}
    cursor = end
    while cursor > start:
        first = max(start, cursor - 1_000 * step)
        params = {
            "category": "linear", "symbol": symbol, "interval": INTERVALS[minutes], "start": first, "end": cursor - step,
            "limit": 1_000,
        }  # fmt: skip
        answer = yield from ask(Call("get_kline", "market", params))
        if not answer.ok:
            raise ReadFailed(answer)
        for row in _list_of(answer.result):
            bar = _bar(row)
            ended = bar is not None and (
                not answer.time_ms or bar[0] + step <= answer.time_ms
            )  # by the venue's clock
            if bar is not None and ended and start <= bar[0] < end:
                bars[bar[0]] = bar[1]
        cursor = first
    found = np.zeros(len(bars), BAR)
    for i, opened in enumerate(sorted(bars)):
        found[i] = (opened * 1_000_000, *bars[opened])
    return found


def settled_rates(ask: Ask, symbol: str) -> Asking[list[tuple[int, float]]]:
    """The last settled funding rates of a symbol: (settlement time ns, fraction per interval), oldest first."""
    answer = yield from ask(
        Call("get_funding_rate_history", "market", {"category": "linear", "symbol": symbol, "limit": 200})
    )
    if not answer.ok:
        raise ReadFailed(answer)
    found = []
    for row in _list_of(answer.result):
        at, rate = (
            decimal(row.get(name) if isinstance(row, dict) else None)
            for name in ("fundingRateTimestamp", "fundingRate")
        )
        if at is not None and rate is not None and 0 < at < _LATEST_MS and abs(rate) < 1:
            found.append((int(at) * 1_000_000, float(rate)))
    return sorted(found)


def _list_of(result: Mapping[str, Any]) -> list[Any]:
    found = result.get("list")
    return found if isinstance(found, list) else []


def _bar(row: object) -> tuple[int, tuple[float, ...]] | None:
    """Start (ms) and figures of one bar; None for a row that is none, or says what cannot be."""
    figures = [decimal(value) for value in row[:7]] if isinstance(row, list) else []
    if len(figures) < 7 or any(figure is None for figure in figures):
        return None
    start, opened, high, low, closed, volume, turnover = (float(each) for each in figures if each is not None)
    if not 0 < low <= min(opened, closed) <= max(opened, closed) <= high or volume < 0 or turnover < 0:
        return None
    return int(start), (opened, high, low, closed, volume, turnover)


def _unique(fills: list[Fill]) -> tuple[Fill, ...]:
    """Each execution once, oldest first: pages may repeat rows."""
    return tuple(
        sorted({fill.exec_id: fill for fill in fills}.values(), key=lambda fill: (fill.ts, fill.seq))
    )
