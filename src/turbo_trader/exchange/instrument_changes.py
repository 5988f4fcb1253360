"""Instruments change while the venue runs: limits, a finer tick or step, the end of a contract."""

from __future__ import annotations

from dataclasses import replace

from turbo_trader.exchange.accounts import Account, Position
from turbo_trader.exchange.exchange_state import State
from turbo_trader.exchange.fills import Fills
from turbo_trader.exchange.open_orders import OpenOrders
from turbo_trader.exchange.orders import Order
from turbo_trader.exchange.resting_orders import Resting
from turbo_trader.market.errors import InputError
from turbo_trader.market.instruments import Instrument, InstrumentStatus
from turbo_trader.market.order_terms import ExecKind, OrderType, Side, TimeInForce
from turbo_trader.market.rows import INDEX, KIND_MASK, LEVEL, MARK, NEVER, TRADE, Rows

_TICKS = ("key", "prev_key", "bid", "ask", "last")
_LOTS = ("lots", "prev_lots")
_FINEST = 10**6  # of a step at once: lots stay within 64 bits


class Listing:
    """What the Exchange lists."""

    def __init__(self, state: State, open_orders: OpenOrders, fills: Fills, resting: Resting) -> None:
        self._state, self._open_orders, self._fills, self._resting = state, open_orders, fills, resting

    def relist(self, new: Instrument) -> tuple[int, int]:
        """Put `new` in place of the instrument of its symbol. Open orders stay as they are: what is on a grid is on a finer one.

        Returns how many new ticks and steps an old one is: later rows must come in the new ones (`finer`). InputError where the old
        ones are no multiples: a tape cannot tell where its prices lie on a coarser grid.
        """
        state = self._state
        s = state.index[new.symbol]
        old = state.instruments[s]
        ratios = old.tick / new.tick, old.step / new.step
        if any(ratio != ratio.to_integral_value() or ratio < 1 for ratio in ratios):
            raise InputError(
                f"{new.symbol}: tick {new.tick} or step {new.step}: must divide those in force, {old.tick} and {old.step}"
            )
        k, m = int(ratios[0]), int(ratios[1])
        if max(int(state.states["ask"][s]), 1) * k >= 2**30 or m > _FINEST:
            raise InputError(
                f"{new.symbol}: tick {new.tick} or step {new.step}: too fine for rows; choose a coarser one"
            )
        state.instruments = (*state.instruments[:s], new, *state.instruments[s + 1 :])
        state.bounds.clear()
        if (k, m) != (1, 1):
            self._regrid(new, s, k, m)
        return k, m

    def _regrid(self, new: Instrument, s: int, k: int, m: int) -> None:
        state = self._state
        market = self._state.states[s]
        market["tick"], market["lot"] = float(new.tick), float(new.step)
        for names, factor in ((_TICKS, k), (_LOTS, m)):
            for name in names:
                market[name] *= factor
        state.footprints.regrid(s, k, m)
        for _, order in self._resting.of(s):
            order.place.regrid(m)

    def next_time(self) -> int:
        """When the next contract ends (ns)."""
        ends = (i.delivery_ns for i in self._state.instruments if i.delivery_ns and not i.closed)
        return min(ends, default=NEVER)

    def deliver(self, now: int) -> None:
        """End every contract whose delivery time has come: orders are cancelled, positions closed at the mark price."""
        state = self._state
        if self.next_time() > now:
            return
        for s, instrument in enumerate(state.instruments):
            if instrument.closed or not 0 < instrument.delivery_ns <= now:
                continue
            for account in state.accounts.values():
                self._deliver_to(account, s, instrument)
            self.relist(replace(instrument, status=InstrumentStatus.CLOSED))

    def _deliver_to(self, account: Account, s: int, instrument: Instrument) -> None:
        ends = instrument.delivery_ns
        for order in list(account.open_orders.values()):
            if order.symbol == instrument.symbol and order.open:
                self._open_orders.end(account, order, "CancelBySettle", ends)
        for position in account.positions.values():
            if position.symbol == instrument.symbol and position.size:
                self._settle(account, position, s, ends)

    def _settle(self, account: Account, position: Position, s: int, at: int) -> None:
        """An execution without an order of the account, and without a fee."""
        mark = self._state.mark(s)
        order = Order(
            order_id=self._state.new_id(),
            link_id="",
            symbol=position.symbol,
            side=Side.closing(position.size),
            order_type=OrderType.MARKET,
            time_in_force=TimeInForce.IOC,
            qty=abs(position.size),
            price=mark,
            reduce_only=True,
            created_ts=at,
            position_idx=position.idx,
            create_type="CreateBySettle",
        )
        self._fills.fill(
            account, order, abs(position.size), mark, maker=False, now=at, kind=ExecKind.DELIVERY
        )


def finer(rows: Rows, k: int, m: int) -> Rows:
    """Rows whose ticks and steps are `k` and `m` times finer; the same rows where both are 1."""
    if (k, m) == (1, 1) or not len(rows):
        return rows
    found = rows.copy()
    kinds = rows["kind"] & KIND_MASK
    fine = (kinds == MARK) | (kinds == INDEX)  # which carry their price in `lots` too
    sized = (kinds == TRADE) | (kinds == LEVEL)
    found["price"][fine | sized] *= k
    found["lots"][fine] *= k
    found["lots"][sized] *= m
    return found
