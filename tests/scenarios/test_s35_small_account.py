"""S35: with 18 USDT it is said what can and cannot be traded, and why, before the first scan and in every refusal."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from turbo_trader.market.reference import universe
from turbo_trader.rules.feasibility import feasible
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.reasons import Code

D = Decimal


def test_s35_every_symbol_has_its_figures_and_every_refusal_its_amount() -> None:
    instruments = universe()[:3]
    prices = dict(zip(("BTCUSDT", "ETHUSDT", "SOLUSDT"), (D(97_000), D(2_000), D(100)), strict=True))
    for balance in (D(18), D(1)):
        rows = feasible(Policy(), balance, instruments, prices)
        assert [row.symbol for row in rows] == list(prices)
        for row in rows:
            assert row.smallest_notional >= 5
            assert bool(row.qty) == (not row.reason)
    (bitcoin, *_) = rows
    assert bitcoin.reason.startswith("BTCUSDT: the smallest order needs 97.00 USDT notional")


def test_s35_the_refusal_of_an_entry_says_the_same(staged: Any) -> None:
    stage = staged()
    stage.recover(balance="0.2")
    verdict = stage.decide(equity="0.2")
    assert verdict.code is Code.SIZE
    assert "USDT" in verdict.text
    assert not stage.entries
