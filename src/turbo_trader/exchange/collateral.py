"""What the positions of an account need, and what is there to carry them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from turbo_trader.exchange import margin
from turbo_trader.exchange.accounts import ZERO, Account, Position

if TYPE_CHECKING:
    from turbo_trader.exchange.machine import Exchange


class Collateral:
    """Margins of isolated positions, each by itself."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def mark(self, p: Position) -> Decimal:
        """The mark price of a position's symbol."""
        return self._exchange.mark(self._exchange.index[p.symbol])

    def value(self, p: Position) -> Decimal:
        """Position value at the mark."""
        return abs(p.size) * self.mark(p)

    def unrealised(self, p: Position) -> Decimal:
        """Result of a position if it were closed at the mark, without fees."""
        return p.size * self.mark(p) - (p.cost if p.size > 0 else -p.cost)

    def initial(self, account: Account, p: Position) -> Decimal:
        """Margin bound by a position, with what was added to it."""
        return margin.initial_margin(p.size, p.entry, p.entry, p.leverage, account.taker) + p.extra

    def maintenance(self, account: Account, p: Position) -> Decimal:
        """What a position must have to stand."""
        if not p.size:
            return ZERO
        fee = margin.closing_fee(p.size, p.entry, p.leverage, account.taker, p.extra)
        instrument = self._exchange.instruments[self._exchange.index[p.symbol]]
        return margin.maintenance_margin(instrument, p.size, self.mark(p), fee)

    def bankruptcy(self, account: Account, p: Position) -> Decimal:
        """The price at which a position's margin is gone; it is not flat."""
        return margin.bankruptcy_price(p.size, p.entry, p.leverage, account.taker, p.extra)

    def liquidation(self, account: Account, p: Position) -> Decimal | None:
        """The mark price at which a position is liquidated; None when flat or outside the instrument's prices."""
        if not p.size:
            return None
        instrument = self._exchange.instruments[self._exchange.index[p.symbol]]
        bust = margin.bankruptcy_price(p.size, p.entry, p.leverage, account.taker, p.extra)
        return margin.liquidation_price(instrument, (p.size,), -p.size * bust, self.mark(p))[0]

    def exhausted(self, account: Account, p: Position) -> bool:
        """Has the mark reached the liquidation price?"""
        price = self.liquidation(account, p)
        if price is None:
            return False
        return self.mark(p) <= price if p.size > 0 else self.mark(p) >= price

    def available(self, account: Account) -> Decimal:
        """What new positions and orders can use: the balance less the margins in use."""
        bound = sum((self.initial(account, p) for p in account.positions.values() if p.size), ZERO)
        return account.balance - bound - account.order_margin
