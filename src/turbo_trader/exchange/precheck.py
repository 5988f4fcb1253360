"""What an order would do to the rates of an account with cross margin, without placing it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from turbo_trader.exchange.accounts import Account
from turbo_trader.exchange.collateral import Collateral
from turbo_trader.exchange.exchange_state import State
from turbo_trader.exchange.matching import Matching
from turbo_trader.exchange.messages import Reply
from turbo_trader.exchange.request_checks import Checks
from turbo_trader.exchange.requests import CreateOrder


class PreCheck:
    """Of orders of accounts with cross margin."""

    def __init__(self, state: State, collateral: Collateral, checks: Checks, matching: Matching) -> None:
        self._state, self._collateral, self._checks, self._matching = state, collateral, checks, matching

    def check(self, account: Account, request: CreateOrder, now: int) -> Reply:
        """The refusal of the order, or initial and maintenance rates (1e-4) before it and after it is filled as badly as may be."""
        if request.symbol not in self._state.index:
            return Reply(10001, "Not supported symbols")
        if not account.cross:
            return Reply(10001, "pre-check is for cross margin only")
        s = self._state.index[request.symbol]
        request = self._checks.as_meant(account, request, s)
        refusal, qty = self._checks.create(account, request, s)
        if refusal is not None:
            return refusal
        after = replace(account, positions={key: replace(p) for key, p in account.positions.items()})
        price = self._matching.worst_price(request.side, qty, request.price, s)
        after.position(*request.key).apply(request.side, qty, price, now)
        before_rates, after_rates = self._rates(account), self._rates(after)
        names = ("orderId", "orderLinkId", "preImrE4", "preMmrE4", "postImrE4", "postMmrE4")
        shown = (self._state.new_id(), request.link_id, *before_rates, *after_rates)
        return Reply(result=dict(zip(names, shown, strict=True)))

    def _rates(self, account: Account) -> tuple[int, int]:
        """Initial and maintenance margin of the margin balance, in 1e-4; 0 where there is no balance."""
        balance = self._collateral.balance(account)
        initial = balance - self._collateral.available(account)
        if balance <= 0:
            return 0, 0
        return _e4(initial / balance), _e4(self._collateral.required(account) / balance)


def _e4(rate: Decimal) -> int:
    return int((rate * 10_000).to_integral_value())
