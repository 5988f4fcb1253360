"""On which terms an account holds its positions: position mode and leverage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from turbo_trader.exchange.accounts import Account
from turbo_trader.exchange.messages import Reply
from turbo_trader.exchange.requests import SetLeverage, SwitchMode

if TYPE_CHECKING:
    from turbo_trader.exchange.machine import Exchange


class Terms:
    """Requests that change how positions are held."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def switch_mode(self, account: Account, request: SwitchMode) -> Reply:
        """Set the position mode of one symbol; of all of them it skips those that have a position or an order."""
        names = [request.symbol] if request.symbol else list(self._exchange.index)
        names = [name for name in names if (name in account.hedged) != request.hedge]
        if not names:
            return Reply(110025, "Position mode is not modified")
        for name in names:
            refusal = _in_use(account, name)
            if refusal is None:
                account.switch(name, hedge=request.hedge)
            elif request.symbol:
                return refusal
        return Reply()

    def set_leverage(self, account: Account, request: SetLeverage, now: int) -> Reply:
        """Change the leverage of a symbol."""
        s = self._exchange.index[request.symbol]
        sides = account.sides(request.symbol)
        if all(position.leverage == request.leverage for position in sides):
            return Reply(110043, "Set leverage has not been modified.")
        instrument = self._exchange.instruments[s]
        if (
            not 1 <= request.leverage <= instrument.max_leverage
            or request.leverage % instrument.leverage_step
        ):
            return Reply(110013, "cannot set leverage due to risk limit")
        before = [position.leverage for position in sides]
        for position in sides:
            position.leverage = request.leverage
            self._exchange.fills.hold(account, position)
        if account.available < 0:
            for position, leverage in zip(sides, before, strict=True):
                position.leverage = leverage
                self._exchange.fills.hold(account, position)
            return Reply(110007, "ab not enough for new leverage")
        for position in sides:
            self._exchange.fills.tell_position(account, position, now)
        return Reply()


def _in_use(account: Account, symbol: str) -> Reply | None:
    """Why the position mode of a symbol cannot change now."""
    if any(position.size for position in account.sides(symbol)):
        return Reply(110024, "You have an existing position, so the position mode cannot be switched.")
    if any(order.symbol == symbol for order in account.open_orders.values()):
        return Reply(110028, "You have existing open orders, so the position mode cannot be switched.")
    return None
