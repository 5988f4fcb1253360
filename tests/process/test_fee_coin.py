"""A daemon over the wire whose fees are taken in another coin: books by coin, nothing unexplained, no transfer made up."""

from __future__ import annotations

import signal
from decimal import Decimal
from typing import Any

import pytest

from turbo_trader.exchange.accounts import FeeCoin
from turbo_trader.exchange_server.exchange_host import Venue


@pytest.mark.slow  # the books are held by tests/scenarios/test_s38_money.py
def test_fees_in_another_coin_are_booked_in_it_and_explain_every_balance(lives: Any) -> None:
    def pay(venue: Venue) -> None:
        venue.exchange.pay_fees_in("1", FeeCoin("MNT", Decimal("0.8")), Decimal(1000), venue.catch_up())

    lives.served.call(pay)
    daemon = lives.begin(200)
    lives.wait(lambda: lives.notes("trade"))
    daemon.send_signal(signal.SIGTERM)
    report = lives.end(daemon)
    lives.check(report)
    assert not lives.notes("discrepancy")
    assert not lives.notes("transfer")

    def booked(venue: Venue) -> tuple[Decimal, Decimal]:
        account = venue.exchange.accounts["1"]
        return sum((e.fee for e in account.executions), Decimal(0)), account.balance

    fees, balance = lives.served.call(booked)
    assert fees > 0
    assert Decimal(report["coin_fees"]["MNT"]) == fees
    assert Decimal(report["end_equity"]) == balance
