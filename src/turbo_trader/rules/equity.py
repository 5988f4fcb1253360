"""Equity E and balance B, as the rules use them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Holding:
    """An open position as equity sees it; prices USDT. `closable` is the bid of a long, the ask of a
    short; None: no book."""

    direction: int
    qty: Decimal
    entry: Decimal
    mark: Decimal | None
    closable: Decimal | None
    taker_fee: Decimal


def unrealised(holding: Holding) -> Decimal:
    """Unrealised result at the worse of mark and closable price, minus the exit fee; at entry where
    neither is known."""
    prices = [price for price in (holding.mark, holding.closable) if price is not None] or [holding.entry]
    worst = min(prices) if holding.direction > 0 else max(prices)
    return holding.direction * (worst - holding.entry) * holding.qty - worst * holding.qty * holding.taker_fee


def equity(wallet: Decimal, holdings: Iterable[Holding]) -> Decimal:
    """E: USDT wallet balance + unrealised result of every holding."""
    return wallet + sum((unrealised(holding) for holding in holdings), Decimal(0))


def trading_balance(available: Decimal, position_margin: Decimal, order_margin: Decimal) -> Decimal:
    """B: USDT available + margin in use."""
    return available + position_margin + order_margin
