"""A rig around the Exchange: accounts on a BTC market around 50,000 with a hand-made book, prints and marks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from turbo_trader.exchange import requests as ask
from turbo_trader.exchange.exchange_machine import Exchange, ExchangeConfig
from turbo_trader.exchange.messages import ExecutionMessage, OrderMessage, Reply
from turbo_trader.exchange.orders import Order
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.order_terms import Side
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import (
    FINE,
    FIRST,
    FUNDING,
    LAST,
    LEVEL,
    MARK,
    RATE,
    ROW,
    SECOND,
    SNAPSHOT,
    TRADE,
    WHOLE,
    Rows,
)

BTC = universe()[0]  # tick 0.1, step 0.001
D = Decimal
T0 = 1_767_600_000 * SECOND  # a multiple of 8 h
_AS_IT_WAS = (0, 1, LEVEL | WHOLE, 1)  # a book frame that deletes a level that is not there


class Rig:
    """Market rows are one second apart. Prices of rows are ticks (500_000 is 50,000.0), sizes lots of 0.001."""

    def __init__(
        self,
        *balances: str,
        bid: int = 500_000,
        ask_: int = 500_010,
        lots: int = 1000,
        config: ExchangeConfig | None = None,
        of: tuple[Instrument, ...] = (BTC,),
    ) -> None:
        self.x = Exchange(of, config or ExchangeConfig())
        for i, balance in enumerate(balances or ("1000",)):
            self.x.add_account("u" if not i else f"u{i + 1}", D(balance))
        self.now = T0
        self.last = Reply()
        self.book(bid, ask_, lots)
        self.trade(500_005)

    # -- the market

    def _feed(self, *items: tuple[int, int, int, int]) -> None:
        """Rows of (lots, price, kind, side), all at the next second."""
        self.now += SECOND
        rows = np.array([(self.now, lots, price, kind, side, 0) for lots, price, kind, side in items], ROW)
        self.x.advance(0, rows, 0, self.now + 1)

    def feed(self, *parts: Rows, s: int = 0) -> None:
        """Rows of instrument `s` made by hand, at their own times."""
        for part in parts:
            self.now = max(self.now, int(part["ts"][-1]))
            self.x.advance(s, part, 0, self.now + 1)

    def book(self, bid: int, ask_: int, lots: int = 1000) -> None:
        """A fresh book of three levels a side, ten ticks apart."""
        levels = [(lots, bid - 10 * k, LEVEL, 1) for k in range(3)]
        levels += [(lots, ask_ + 10 * k, LEVEL, -1) for k in range(3)]
        *middle, (size, price, kind, side) = levels
        self._feed((0, 0, SNAPSHOT | FIRST, 0), *middle, (size, price, kind | LAST, side))

    def level(self, side: int, price: int, lots: int) -> None:
        """One level's new size, as a frame of its own."""
        self._feed((lots, price, LEVEL | WHOLE, side))

    def trade(self, price: int, lots: int = 5, side: int = 1) -> None:
        """A print, and the book, which stands as it was."""
        self._feed((lots, price, TRADE | WHOLE, side), _AS_IT_WAS)

    def mark(self, price: int) -> None:
        """A mark price, and the book, which stands as it was."""
        self._feed((price * FINE, price, MARK | WHOLE, 0), _AS_IT_WAS)

    def funding(self, rate: str) -> None:
        self.now += SECOND
        row = (self.now, int(D(rate) * RATE), 0, FUNDING | WHOLE, 0, 480)
        self.x.advance(0, np.array([row], ROW), 0, self.now + 1)

    # -- requests

    def do(self, request: ask.Request, uid: str = "u") -> int:
        """The code of the reply; the reply is kept in `last`."""
        self.last = self.x.handle(self.now, uid, request)
        return self.last.code

    def market(self, side: int, qty: str, uid: str = "u", **more: Any) -> int:
        return self.do(
            ask.CreateOrder(symbol="BTCUSDT", side=Side(side), order_type="Market", qty=D(qty), **more), uid
        )

    def limit(self, side: int, qty: str, price: str, uid: str = "u", **more: Any) -> int:
        return self.do(
            ask.CreateOrder(
                symbol="BTCUSDT", side=Side(side), order_type="Limit", qty=D(qty), price=D(price), **more
            ),
            uid,
        )

    def amend(self, link_id: str, uid: str = "u", **more: str) -> int:
        figures: dict[str, Any] = {name: D(figure) for name, figure in more.items()}
        return self.do(ask.AmendOrder("BTCUSDT", link_id=link_id, **figures), uid)

    def change(self, order: Order, uid: str = "u", **figures: Any) -> int:
        """Amend by order id."""
        return self.do(ask.AmendOrder("BTCUSDT", order.order_id, **figures), uid)

    def cancel(self, order: Order, uid: str = "u") -> int:
        return self.do(ask.CancelOrder("BTCUSDT", order.order_id), uid)

    def stop(self, uid: str = "u", **more: Any) -> int:
        return self.do(ask.SetTradingStop(symbol="BTCUSDT", **more), uid)

    def hedge(self, uid: str = "u", *, on: bool = True) -> int:
        return self.do(ask.SwitchMode("BTCUSDT", on), uid)

    # -- what became of it

    def order(self, link_id: str, uid: str = "u") -> Order:
        account = self.x.accounts[uid]
        return account.orders[account.links[link_id]]

    def size(self, uid: str = "u", idx: int = 0) -> Decimal:
        return Decimal(self.position(uid, idx).size)

    def position(self, uid: str = "u", idx: int = 0) -> Any:
        """The one-way position; `idx` 1 and 2: the sides of hedge mode."""
        (found,) = (p for p in self.x.positions(uid, "BTCUSDT", self.now) if p.position_idx == idx)
        return found

    def position_stop(self, kind: str, uid: str = "u") -> Order | None:
        """The position's TakeProfit, StopLoss or TrailingStop."""
        return self.x.accounts[uid].position("BTCUSDT").stop(kind)

    def fills(self, uid: str = "u") -> list[ExecutionMessage]:
        return list(self.x.accounts[uid].executions)

    def order_states(self, uid: str = "u") -> list[OrderMessage]:
        """Every order there ever was, as it is."""
        return [order.message(0) for order in self.x.accounts[uid].orders.values()]

    def ended(self) -> dict[str, str]:
        """Cancel types of the orders that ended since the last drain, by link id."""
        return {
            m.link_id: m.cancel_type
            for _, m in self.x.drain()
            if isinstance(m, OrderMessage) and m.status in ("Cancelled", "Deactivated")
        }


@pytest.fixture(scope="session")
def rigs() -> type[Rig]:
    """Rigs of one's own making."""
    return Rig


@pytest.fixture
def rig() -> Rig:
    """One account with 1,000 USDT; bids 50,000.0 and below, asks 50,001.0 and above, 1.000 BTC each ten ticks."""
    return Rig()
