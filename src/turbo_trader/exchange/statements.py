"""What an account holds, as messages: positions and wallet at this moment."""

from __future__ import annotations

from decimal import Decimal

from turbo_trader.exchange.accounts import ZERO, Account, Position
from turbo_trader.exchange.collateral import Collateral
from turbo_trader.exchange.messages import PositionMessage, WalletMessage
from turbo_trader.exchange.orders import FULL
from turbo_trader.exchange.state import State


class Statements:
    """Positions and wallets, written out and reported."""

    def __init__(self, state: State, collateral: Collateral) -> None:
        self._state, self._collateral = state, collateral

    def position(self, account: Account, p: Position, now: int) -> PositionMessage:
        """A position as it is now."""
        instrument, needs = self._state.instruments[self._state.index[p.symbol]], self._collateral
        held = bool(p.size)
        tier = instrument.tier(needs.value(p))
        profit, loss, trail = (p.stop(kind) for kind in FULL)
        return PositionMessage(
            now, p.symbol, p.idx, p.size, p.entry, p.leverage, needs.mark(p), needs.liquidation(account, p),
            needs.bankruptcy(account, p) if held and not account.cross else None,
            needs.initial(account, p), needs.maintenance(account, p), instrument.tiers.index(tier) + 1, tier.limit,
            profit.trigger_price if profit else None, loss.trigger_price if loss else None, trail.distance if trail else None,
            needs.unrealised(p),
            p.realised_now, p.realised_ever, p.status, p.seq, p.created_ts, p.opened_ts, needs.rank(account, p),
            needs.break_even(account, p), p.auto_margin, instrument.tick,
        )  # fmt: skip

    def wallet(self, account: Account, now: int) -> WalletMessage:
        """The wallet as it is now."""
        held = [self.position(account, p, now) for p in account.held()]
        return WalletMessage(
            now, account.balance, sum((m.margin for m in held), ZERO), sum((m.maintenance for m in held), ZERO),
            account.order_margin, sum((m.unrealised for m in held), ZERO),
            sum((p.realised_ever for p in account.positions.values()), ZERO), account.cross, _coins(account),
        )  # fmt: skip

    def emit(self, account: Account, position: Position, now: int) -> None:
        """Say a position, then the wallet."""
        self._state.say(account.uid, self.position(account, position, now))
        self._state.say(account.uid, self.wallet(account, now))


def _coins(account: Account) -> tuple[tuple[str, Decimal, Decimal], ...]:
    """Other coins: name, balance, worth in USDT (nothing of a coin whose price is not known)."""
    known = account.fee_coin
    prices = {known.name: known.price} if known is not None else {}
    return tuple((name, held, held * prices.get(name, ZERO)) for name, held in account.coins.items())
