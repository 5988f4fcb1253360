"""The terms of an account's positions: position mode, margin mode, leverage, added margin."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from turbo_trader.exchange.accounts import ZERO, Account, Position
from turbo_trader.exchange.collateral import Collateral
from turbo_trader.exchange.exchange_state import State
from turbo_trader.exchange.messages import Reply
from turbo_trader.exchange.open_orders import OpenOrders
from turbo_trader.exchange.requests import AddMargin, SetAutoMargin, SetLeverage, SetMarginMode, SwitchMode
from turbo_trader.exchange.statements import Statements


class Terms:
    """Requests that change how positions are held."""

    def __init__(
        self, state: State, collateral: Collateral, open_orders: OpenOrders, statements: Statements
    ) -> None:
        self._state, self._collateral = state, collateral
        self._open_orders, self._statements = open_orders, statements

    def switch_mode(self, account: Account, request: SwitchMode) -> Reply:
        """Set the position mode of one symbol; of all of them it skips those that have a position or an order. Bots ask for the
        mode of the coin at each start: where it is in force already that is no refusal."""
        names = [request.symbol] if request.symbol else list(self._state.index)
        names = [name for name in names if (name in account.hedged) != request.hedge]
        if not names and request.symbol:
            return Reply(110025, "Position mode is not modified")
        for name in names:
            refusal = _in_use(account, name)
            if refusal is None:
                account.switch(name, hedge=request.hedge)
            elif request.symbol:
                return refusal
        return Reply()

    def set_leverage(self, account: Account, request: SetLeverage, now: int) -> Reply:
        """Change the leverage of a symbol; sides may differ in hedge mode with isolated margin."""
        sides = account.sides(request.symbol)
        short = request.leverage if request.short is None else request.short
        if short != request.leverage and (account.cross or len(sides) == 1):
            return Reply(10001, "buyLeverage and sellLeverage must be equal")
        wanted = (request.leverage, short)[: len(sides)]
        before = tuple(position.leverage for position in sides)
        if wanted == before:
            return Reply(110043, "Set leverage has not been modified.")
        refusal = self._leverage_refusal(account, request.symbol, wanted)
        if refusal is None:
            self._lever(account, sides, wanted)
            refusal = self._carried(account, sides)
            if refusal is not None:
                self._lever(account, sides, before)
                return refusal
            for position in sides:
                self._statements.emit(account, position, now)
        return refusal or Reply()

    def add_margin(self, account: Account, request: AddMargin, now: int) -> Reply:
        """Add to the margin of an isolated position, or take back what was added."""
        if request.position_idx not in account.indices(request.symbol):
            return Reply(10001, "position idx not match position mode")
        if account.cross:
            return Reply(110015, "The position is in cross margin mode")
        position = account.position(request.symbol, request.position_idx)
        if not position.size:
            return Reply(10001, "can not add margin for zero position")
        if not request.amount:
            return Reply(110027, "Margin is not modified.")
        if request.amount > max(self._collateral.available(account), ZERO):
            return Reply(110014, "Available balance not enough to add margin")
        if request.amount < 0 and position.extra + request.amount < 0:
            return Reply(10001, "margin: no more than what was added can be taken back")
        position.extra += request.amount
        if self._collateral.exhausted(account, position):
            position.extra -= request.amount
            return Reply(110011, "Any adjustments made will trigger immediate liquidation")
        self._statements.emit(account, position, now)
        return Reply()

    def set_auto_margin(self, account: Account, request: SetAutoMargin, now: int) -> Reply:
        """Switch the adding of margin to an isolated position on or off."""
        if request.position_idx not in account.indices(request.symbol):
            return Reply(10001, "position idx not match position mode")
        if account.cross:
            return Reply(110015, "The position is in cross margin mode")
        position = account.position(request.symbol, request.position_idx)
        position.auto_margin = request.on
        self._statements.emit(account, position, now)
        return Reply()

    def set_margin_mode(self, account: Account, request: SetMarginMode, now: int) -> Reply:
        """Change the account's margin mode where everything it holds can be held so; margin added is free again."""
        if request.cross == account.cross:
            return Reply(result={"reasons": []})
        if request.cross and any(
            len({p.leverage for p in account.sides(name)}) > 1 for name in self._state.index
        ):
            return _mode_refused("buyLeverage and sellLeverage must be equal in cross margin")
        held = account.held()
        added = [position.extra for position in held]
        account.cross = request.cross
        for position in held:
            position.extra = ZERO
        refusal = self._carried(account, held)
        if refusal is not None:
            account.cross = not request.cross
            for position, extra in zip(held, added, strict=True):
                position.extra = extra
            return _mode_refused(refusal.message)
        for position in held:
            self._statements.emit(account, position, now)
        if not held:
            self._state.say(account.uid, self._statements.wallet(account, now))
        return Reply(result={"reasons": []})

    def _leverage_refusal(self, account: Account, symbol: str, wanted: Sequence[Decimal]) -> Reply | None:
        """Within the instrument's range, and allowed by the tier of what each side holds and would open."""
        instrument = self._state.instruments[self._state.index[symbol]]
        mark = self._state.mark(self._state.index[symbol])
        for position, leverage in zip(account.sides(symbol), wanted, strict=True):
            values = (account.exposure(position, side) * mark for side in (1, -1))
            most = min(instrument.tier(value).max_leverage for value in values)
            if not 1 <= leverage <= min(most, instrument.max_leverage) or leverage % instrument.leverage_step:
                return Reply(110013, "cannot set leverage due to risk limit")
        return None

    def _lever(self, account: Account, sides: Sequence[Position], leverage: Sequence[Decimal]) -> None:
        for position, wanted in zip(sides, leverage, strict=True):
            position.leverage = wanted
            self._open_orders.hold(account, position)

    def _carried(self, account: Account, sides: Sequence[Position]) -> Reply | None:
        """Why the positions cannot be held as they are now."""
        if any(self._collateral.exhausted(account, position) for position in sides):
            return Reply(110011, "Any adjustments made will trigger immediate liquidation")
        if self._collateral.available(account) < 0:
            return Reply(110007, "ab not enough for new leverage")
        return None


def _mode_refused(why: str) -> Reply:
    reasons = [{"reasonCode": "3400000", "reasonMsg": why}]
    return Reply(3400045, "Set margin mode failed", {"reasons": reasons})


def _in_use(account: Account, symbol: str) -> Reply | None:
    """Why the position mode of a symbol cannot change now."""
    if any(position.size for position in account.sides(symbol)):
        return Reply(110024, "You have an existing position, so the position mode cannot be switched.")
    if any(order.symbol == symbol for order in account.open_orders.values()):
        return Reply(110028, "You have existing open orders, so the position mode cannot be switched.")
    return None
