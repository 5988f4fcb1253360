"""What an order would do to the rates of an account with cross margin, without placing it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from turbo_trader.exchange import checks
from turbo_trader.exchange.accounts import Account
from turbo_trader.exchange.messages import Reply
from turbo_trader.exchange.requests import CreateOrder

if TYPE_CHECKING:
    from turbo_trader.exchange.machine import Exchange


def check(exchange: Exchange, account: Account, request: CreateOrder, now: int) -> Reply:
    """The refusal of the order, or initial and maintenance rates (1e-4) before it and after it is filled as badly as it may be."""
    if request.symbol not in exchange.index:
        return Reply(10001, "Not supported symbols")
    if not account.cross:
        return Reply(10001, "pre-check is for cross margin only")
    s = exchange.index[request.symbol]
    request = checks.as_meant(exchange, account, request, s)
    refusal, qty = checks.create(exchange, account, request, s)
    if refusal is not None:
        return refusal
    after = replace(account, positions={key: replace(p) for key, p in account.positions.items()})
    price = exchange.matching.worst_price(request.side, qty, request.price, s)
    after.position(*request.key).apply(request.side, qty, price, now)
    before_rates, after_rates = _rates(exchange, account), _rates(exchange, after)
    names = ("orderId", "orderLinkId", "preImrE4", "preMmrE4", "postImrE4", "postMmrE4")
    shown = (exchange.new_id(), request.link_id, *before_rates, *after_rates)
    return Reply(result=dict(zip(names, shown, strict=True)))


def _rates(exchange: Exchange, account: Account) -> tuple[int, int]:
    """Initial and maintenance margin of the margin balance, in 1e-4; 0 where there is no balance."""
    balance = exchange.collateral.balance(account)
    initial = balance - exchange.collateral.available(account)
    if balance <= 0:
        return 0, 0
    return _e4(initial / balance), _e4(exchange.collateral.required(account) / balance)


def _e4(rate: Decimal) -> int:
    return int((rate * 10_000).to_integral_value())
