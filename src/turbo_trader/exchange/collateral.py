"""The margin that positions need, and the collateral behind them: each by itself (isolated) or all together (cross)."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from turbo_trader.exchange import margin
from turbo_trader.exchange.accounts import ZERO, Account, Position
from turbo_trader.exchange.exchange_state import State
from turbo_trader.exchange.messages import UNIT
from turbo_trader.market.instruments import Instrument

_BREAK_EVEN_FEE: Final = Decimal("0.00055")
_RANKS: Final = (Decimal(0), Decimal("0.25"), Decimal("0.5"), Decimal(1))


class Collateral:
    """Margins of positions, and when they are gone."""

    def __init__(self, state: State) -> None:
        self._state = state

    # -- of a position

    def mark(self, p: Position) -> Decimal:
        """The mark price of a position's symbol."""
        return self._state.mark(self._state.index[p.symbol])

    def value(self, p: Position) -> Decimal:
        """Position value at the mark."""
        return abs(p.size) * self.mark(p)

    def unrealised(self, p: Position) -> Decimal:
        """Result of a position if it were closed at the mark, without fees."""
        return p.size * self.mark(p) - (p.cost if p.size > 0 else -p.cost)

    def initial(self, account: Account, p: Position) -> Decimal:
        """Margin bound by a position: of its value at entry, with what was added to it; cross of its value at the mark."""
        price = self.mark(p) if account.cross else p.entry
        return margin.initial_margin(p.size, price, p.entry, p.leverage, account.taker) + p.extra

    def maintenance(self, account: Account, p: Position) -> Decimal:
        """What a position must have to stand."""
        return margin.maintenance_margin(self._instrument(p), p.size, self.mark(p), self._fee(account, p))

    def bankruptcy(self, account: Account, p: Position) -> Decimal:
        """The price at which a position's margin is gone; it is not flat. Cross: its share of the account's margin balance, by
        maintenance margin, pays the loss from the mark and the fee."""
        if not account.cross:
            return margin.bankruptcy_price(p.size, p.entry, p.leverage, account.taker, p.extra)
        d = 1 if p.size > 0 else -1
        part = self.maintenance(account, p) / self.required(account)
        price = (self.value(p) - d * self.balance(account) * part) / (abs(p.size) * (1 - d * account.taker))
        return max(price, ZERO)

    def liquidation(self, account: Account, p: Position) -> Decimal | None:
        """The mark price at which a position is liquidated; None when flat or outside the instrument's prices. Cross: with the
        marks of other symbols as they are; None for a side that gains on the way there."""
        if not p.size:
            return None
        if account.cross:
            return self._cross_liquidation(account, p)
        rest = -p.size * self.bankruptcy(account, p)
        return margin.liquidation_price(self._instrument(p), (p.size,), rest, p.entry)[0]

    def exhausted(self, account: Account, p: Position) -> bool:
        """Has the mark reached the liquidation price? Cross: do the maintenance margins reach the margin balance?"""
        if account.cross:
            needed = self.required(account)
            return needed > 0 and needed >= self.balance(account)
        price = self.liquidation(account, p)
        if price is None:
            return False
        mark = self.mark(p)
        return mark <= price if p.size > 0 else mark >= price

    def break_even(self, account: Account, p: Position) -> Decimal | None:
        """The price at which closing pays for what the position has cost so far, fees and funding included; None when flat."""
        if not p.size:
            return None
        fee = max(account.taker, _BREAK_EVEN_FEE)
        price = (p.size * p.entry - p.realised_now) / (p.size - abs(p.size) * fee)
        return price.quantize(UNIT)

    def rank(self, account: Account, p: Position) -> int:
        """Place in the queue of deleveraging, 1 to 5 (first); 0 when flat. By result over margin, which is result x leverage."""
        if not p.size:
            return 0
        returned = self.unrealised(p) / self.initial(account, p)
        return 1 + sum(returned > bound for bound in _RANKS)

    # -- of the account

    def balance(self, account: Account) -> Decimal:
        """What margins are taken from: the wallet; cross with unrealised results."""
        if not account.cross:
            return account.balance
        return account.balance + sum((self.unrealised(p) for p in account.held()), ZERO)

    def required(self, account: Account) -> Decimal:
        """Maintenance margin of all positions."""
        return sum((self.maintenance(account, p) for p in account.held()), ZERO)

    def available(self, account: Account) -> Decimal:
        """What new positions and orders can use: the balance less the margins in use."""
        bound = sum((self.initial(account, p) for p in account.held()), ZERO)
        return self.balance(account) - bound - account.order_margin

    # -- inside

    def _cross_liquidation(self, account: Account, p: Position) -> Decimal | None:
        rest = account.balance
        sizes = []
        for q in account.held():
            if q.symbol == p.symbol:
                sizes.append(q.size)
                rest -= (q.cost if q.size > 0 else -q.cost) + self._fee(account, q)
            else:
                rest += self.unrealised(q) - self.maintenance(account, q)
        price, falling = margin.liquidation_price(self._instrument(p), sizes, rest, self.mark(p))
        return price if falling == (p.size > 0) else None

    def _fee(self, account: Account, p: Position) -> Decimal:
        return margin.closing_fee(p.size, p.entry, p.leverage, account.taker, p.extra) if p.size else ZERO

    def _instrument(self, p: Position) -> Instrument:
        return self._state.instruments[self._state.index[p.symbol]]
