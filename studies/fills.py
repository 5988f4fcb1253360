"""Does a fill flatter? `scripts/study fills`: orders of every kind on made-up, rebuilt and recorded tapes, checked fill by fill.

On each symbol of a tape four accounts, each alone at a simulated exchange, trade by the clock, whatever the market does. They
buy and sell in turn: with stops a few basis points away, at the market, by IOC limits, and by post-only limits at the touch. Each
fill is held against a second reading of the tape, which knows nothing of the exchange: the book as it stands after every row up to
the fill's time (of an order that was sent, up to its arrival). No fill may be better than that book; a resting order fills at its
own price.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import numpy as np

from studies.rebuilt_figures import walk_bars
from turbo_trader.console.progress import each
from turbo_trader.exchange import requests as ask
from turbo_trader.exchange.exchange_machine import Exchange, ExchangeConfig
from turbo_trader.exchange.messages import ExecutionMessage
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.kernel import advance_book
from turbo_trader.market.rebuild import rebuild
from turbo_trader.market.rows import MINUTE, SECOND, Rows
from turbo_trader.market.state import States, new_states
from turbo_trader.market.tape import Tape, read_tape

BALANCE: Final = Decimal(10**9)
NOTIONAL: Final = 20.0  # USDT an order: no order walks the book
_START: Final = 1_767_603_600 * SECOND
_RECORDED: Final = "bybit-v5-session-20260809/linear_BTCUSDT_DOGEUSDT.jsonl.gz"
_BARS: Final = "binance-usdm-1m-2025-05"


class Way(StrEnum):
    """How an order came to its fill. Each trades in an account of its own; take profits in that of the stops."""

    STOP = "stop"
    TARGET = "take profit"
    MARKET = "market"
    IOC = "IOC limit"
    RESTING = "resting limit"


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How often the accounts act (ns), and how far away their stops and targets lie (fraction of the price)."""

    every: int
    distance: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """One fill beside the book. Prices in USDT; `touch`: the best price for a taker then; `reference`: trigger, touch or limit."""

    way: Way
    symbol: str
    ts: int
    side: int
    price: float
    touch: float
    reference: float
    after: float  # mid ten seconds later, 0 where the tape ends before

    @property
    def flatters(self) -> bool:
        """Is it better than the book gave it, or of a resting order than its own price?"""
        best = self.reference if self.way is Way.RESTING else self.touch
        return self.side * (self.price - best) < -1e-9 * best

    @property
    def gain(self) -> float:
        """How much better than its reference, fraction of the price; negative: worse."""
        return self.side * (self.reference - self.price) / self.reference

    @property
    def markout(self) -> float:
        """What the fill is worth against the mid ten seconds later, fraction; negative: the market went against it."""
        return self.side * (self.after - self.price) / self.price if self.after else float("nan")


class _Book:
    """The second reading: the book of one symbol after all rows before a time."""

    def __init__(self, instrument: Instrument, rows: Rows) -> None:
        self.states: States = new_states(
            [instrument], flow_window_s=1, vol_half_life_min=1.0, slow_vol_half_life_min=1.0, jump_sigmas=1.0, jump_fraction=1.0
        )  # fmt: skip
        self._rows, self._at, self._tick = rows, 0, float(instrument.tick)

    def before(self, time: int) -> tuple[float, float]:
        """Best bid and ask (USDT) after all rows with ts < `time`; times must not go back."""
        self._at = int(advance_book(self.states, 0, self._rows, self._at, time))
        return float(self.states["bid"][0]) * self._tick, float(self.states["ask"][0]) * self._tick

    def worst(self, side: int, time: int) -> float:
        """The best price a taker of `side` can have: the touch, or a print that is newer than the book and worse."""
        bid, ask_ = self.before(time)
        state = self.states[0]
        touch = ask_ if side > 0 else bid
        if state["trade_ts"] <= state["book_ts"]:
            return touch
        return side * max(side * touch, side * float(state["last"]) * self._tick)


class Players:
    """Four accounts that trade one symbol by the clock, each at an exchange of its own: they do not meet each other's orders."""

    def __init__(self, instrument: Instrument, rows: Rows, plan: Plan) -> None:
        ways = (Way.STOP, Way.MARKET, Way.IOC, Way.RESTING)
        self.exchanges = {way: Exchange([instrument], ExchangeConfig()) for way in ways}
        for way, exchange in self.exchanges.items():
            exchange.add_account(way, BALANCE)
        self._instrument, self._rows, self._plan = instrument, rows, plan

    def play(self) -> list[tuple[Way, ExecutionMessage, float]]:
        """Trade the whole tape; every fill with its way and its reference price (USDT; 0: the touch)."""
        found = []
        for uid, x in self.exchanges.items():
            at, d = 0, 1
            first, last = int(self._rows["ts"][0]), int(self._rows["ts"][-1])
            for now in range(first + self._plan.every, last, self._plan.every):
                at = x.advance(0, self._rows, at, now)
                if x.states["book_valid"][0]:
                    self._act(uid, x, now, d)
                    d = -d
            x.advance(0, self._rows, at, last + 1)
            for fill in x.accounts[uid].executions:
                way = _way(uid, fill)
                if fill.kind == "Trade" and way is not None:
                    found.append((way, fill, self._reference(uid, fill)))
        return found

    def _act(self, uid: Way, x: Exchange, now: int, d: int) -> None:
        instrument, state = self._instrument, x.states[0]
        name, mid = instrument.symbol, (int(state["bid"]) + int(state["ask"])) / 2 * float(instrument.tick)
        touch, own = (instrument.price(int(state[side])) for side in ("ask", "bid")[::d])
        order: dict[str, Any] = {"symbol": name, "side": d}
        order["qty"] = instrument.floor_qty(max(instrument.min_qty, Decimal(NOTIONAL / mid)))
        if uid is Way.STOP:
            if x.accounts[uid].position(name).size:
                return
            away = max(instrument.floor_price(Decimal(mid * self._plan.distance)), 2 * instrument.tick)
            order |= {
                "order_type": "Market",
                "stop_loss": x.last(0) - d * away,
                "take_profit": x.last(0) + d * away,
            }
        elif uid is Way.MARKET:
            order |= {"order_type": "Market"}
        elif uid is Way.IOC:
            order |= {"order_type": "Limit", "price": touch, "time_in_force": "IOC"}
        else:
            x.handle(now, uid, ask.CancelAll(name))
            order |= {"order_type": "Limit", "price": own, "time_in_force": "PostOnly"}
        x.handle(now, uid, ask.CreateOrder(**order))

    def _reference(self, uid: Way, fill: ExecutionMessage) -> float:
        order = self.exchanges[uid].accounts[uid].orders[fill.order_id]
        price = order.trigger_price if order.stop_type else order.price
        return float(price) if price is not None and (order.stop_type or fill.is_maker) else 0.0


def _way(uid: Way, fill: ExecutionMessage) -> Way | None:
    if fill.stop_type:
        return Way.STOP if fill.stop_type == "StopLoss" else Way.TARGET
    if uid is Way.STOP:
        return Way.MARKET
    return uid if (uid is Way.RESTING) == fill.is_maker else None


def checked(instrument: Instrument, rows: Rows, plan: Plan) -> list[Checked]:
    """Every fill of one symbol's tape beside the book, in order of time."""
    book, later = _Book(instrument, rows), _Book(instrument, rows)
    end = int(rows["ts"][-1])
    found = []
    for way, fill, reference in sorted(
        Players(instrument, rows, plan).play(), key=lambda entry: (entry[1].ts, entry[0] in (Way.STOP, Way.TARGET, Way.RESTING))
    ):  # fmt: skip
        inclusive = way in (
            Way.STOP,
            Way.TARGET,
            Way.RESTING,
        )  # filled by a row of this time, not by a request
        touch = book.worst(fill.side, fill.ts + inclusive)
        bid, ask_ = later.before(fill.ts + 10 * SECOND)
        found.append(
            Checked(
                way=way, symbol=instrument.symbol, ts=fill.ts, side=fill.side, price=float(fill.price), touch=touch,
                reference=reference or touch, after=(bid + ask_) / 2 if fill.ts + 10 * SECOND < end else 0.0,
            )
        )  # fmt: skip
    return found


def synthetic(symbols: Sequence[str], hours: float, seed: int) -> Tape:
    """A driftless made-up tape."""
    from turbo_trader.simulation.synthetic import generate

    return generate(symbols, seed, _START, int(hours * 60) * MINUTE)


def rebuilt_walk(instrument: Instrument, bars: int, seed: int) -> Rows:
    """The rows of a driftless walk's bars."""
    return rebuild(walk_bars(bars, 240, seed, 2.2, float(instrument.tick)), instrument, seed=seed)


def recorded(data: Path) -> Tape:
    """Bybit's recorded session."""
    return read_tape(data / _RECORDED)


def summary(fills: Sequence[Checked]) -> Iterator[tuple[Way, int, int, float, float, float]]:
    """(way, fills, fills that flatter, mean gain, its standard error, mean markout), in basis points."""
    for way in Way:
        mine = [fill for fill in fills if fill.way is way]
        if mine:
            gains = 1e4 * np.array([fill.gain for fill in mine])
            error = float(gains.std() / len(gains) ** 0.5)
            markouts = 1e4 * np.array([fill.markout for fill in mine])
            seen = markouts[~np.isnan(markouts)]
            yield (
                way,
                len(mine),
                sum(f.flatters for f in mine),
                float(gains.mean()),
                error,
                float(seen.mean()) if len(seen) else 0.0,
            )


def _tapes(data: Path, hours: float, seed: int) -> Iterator[tuple[str, Tape, Plan]]:
    slow = Plan(every=MINUTE, distance=10e-4)
    symbols = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "BNBUSDT", "AVAXUSDT", "ADAUSDT", "LINKUSDT")
    yield "synthetic", synthetic(symbols, hours, seed), slow
    if (data / _BARS).exists():
        whole = read_tape(data / _BARS, symbols[:4], seed=seed)
        until = whole.start + int(hours * 60) * MINUTE
        rows = tuple(part[: np.searchsorted(part["ts"], until)] for part in whole.rows)
        yield "rebuilt", Tape(whole.instruments, rows, whole.source, rebuilt=True), slow
    if (data / _RECORDED).exists():
        yield "recorded", recorded(data), Plan(every=SECOND // 4, distance=0.1e-4)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the table as Markdown to stdout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?", default=Path("../shared/data"))
    parser.add_argument("--hours", type=float, default=12.0, help="of the synthetic and the rebuilt tape")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    sys.stdout.write(
        "| tape | order | fills | better than the book | against trigger, touch or limit, bp | standard error | 10 s later, bp |\n"
        "|---|---|---|---|---|---|---|\n"
    )
    for name, tape, plan in each("tapes", _tapes(options.data, options.hours, options.seed)):
        fills = [
            fill
            for instrument, rows in zip(tape.instruments, tape.rows, strict=True)
            for fill in checked(instrument, rows, plan)
        ]
        for way, count, flattering, mean, error, markout in summary(fills):
            sys.stdout.write(
                f"| {name} | {way} | {count} | {flattering} | {mean:+.2f} | {error:.2f} | {markout:+.2f} |\n"
            )


if __name__ == "__main__":
    main()
