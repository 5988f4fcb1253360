"""An account's positions and wallet at this moment, as messages."""

from __future__ import annotations

from decimal import Decimal

from turbo_trader.exchange.accounts import ZERO, Account, Position
from turbo_trader.exchange.collateral import Collateral
from turbo_trader.exchange.exchange_state import State
from turbo_trader.exchange.messages import PositionMessage, WalletMessage
from turbo_trader.exchange.orders import FULL


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
            ts=now,
            symbol=p.symbol,
            position_idx=p.idx,
            size=p.size,
            entry_price=p.entry,
            leverage=p.leverage,
            mark_price=needs.mark(p),
            liq_price=needs.liquidation(account, p),
            bust_price=needs.bankruptcy(account, p) if held and not account.cross else None,
            margin=needs.initial(account, p),
            maintenance=needs.maintenance(account, p),
            tier=instrument.tiers.index(tier) + 1,
            tier_limit=tier.limit,
            take_profit=profit.trigger_price if profit else None,
            stop_loss=loss.trigger_price if loss else None,
            trailing_stop=trail.distance if trail else None,
            unrealised=needs.unrealised(p),
            realised_now=p.realised_now,
            realised_ever=p.realised_ever,
            status=p.status,
            seq=p.seq,
            created_ts=p.created_ts,
            opened_ts=p.opened_ts,
            adl_rank=needs.rank(account, p),
            break_even=needs.break_even(account, p),
            auto_margin=p.auto_margin,
            tick=instrument.tick,
        )

    def wallet(self, account: Account, now: int) -> WalletMessage:
        """The wallet as it is now."""
        held, needs = account.held(), self._collateral
        return WalletMessage(
            ts=now,
            balance=account.balance,
            position_margin=sum((needs.initial(account, p) for p in held), ZERO),
            maintenance=needs.required(account),
            order_margin=account.order_margin,
            unrealised=sum((needs.unrealised(p) for p in held), ZERO),
            realised_ever=sum((p.realised_ever for p in account.positions.values()), ZERO),
            cross=account.cross,
            coins=_coins(account),
        )

    def emit(self, account: Account, position: Position, now: int) -> None:
        """Say a position, then the wallet."""
        self._state.say(account.uid, self.position(account, position, now))
        self._state.say(account.uid, self.wallet(account, now))


def _coins(account: Account) -> tuple[tuple[str, Decimal, Decimal], ...]:
    """Other coins: name, balance, worth in USDT (nothing of a coin whose price is not known)."""
    known = account.fee_coin
    prices = {known.name: known.price} if known is not None else {}
    return tuple((name, held, held * prices.get(name, ZERO)) for name, held in account.coins.items())
