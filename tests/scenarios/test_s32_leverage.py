"""S32: leverage above what the symbol, its risk tier or the stop allow is cut down, and said with its reason."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from turbo_trader.console.verbs.feasible import feasible_lines
from turbo_trader.market.instruments import simulated_tiers
from turbo_trader.market.reference import universe
from turbo_trader.rules.feasibility import feasible
from turbo_trader.rules.policy import Policy
from turbo_trader.trader.commands import SetLeverage

D = Decimal
ASKED = Policy(max_leverage=D(100))
PRICES = {"BNBUSDT": D(668)}


@pytest.mark.parametrize(
    ("stop_loss", "by"), [(0.002, "symbol"), (0.02, "distance to liquidation")], ids=["symbol", "stop"]
)
def test_s32_the_leverage_sent_is_cut_down_and_the_entry_reports_by_what(
    staged: Any, stop_loss: float, by: str
) -> None:
    stage = staged(policy=ASKED)
    stage.recover()
    stage.enter(stop_loss=stop_loss)
    fields = stage.notes("entry")[-1].fields
    assert stage.last(SetLeverage).leverage == fields["leverage"] <= D(str(fields["leverage_most"])) <= 50
    assert fields["leverage_by"] == by


def test_s32_what_the_venue_refuses_is_given_up_with_its_message(staged: Any) -> None:
    stage = staged(policy=ASKED)
    stage.recover()
    stage.decide()
    stage.answer(stage.last(SetLeverage), "rejected", 110013)
    assert not stage.entries
    assert "110013" in stage.notes("entry-ended")[-1].fields["why"]


@pytest.mark.parametrize(
    ("most", "tier_most", "by"), [(D(25), D(75), "symbol"), (D(75), D("12.5"), "risk tier")]
)
def test_s32_feasible_shows_what_was_asked_and_what_is_allowed(
    most: Decimal, tier_most: Decimal, by: str
) -> None:
    (known,) = [each for each in universe() if each.symbol == "BNBUSDT"]
    tiers = tuple(replace(tier, max_leverage=tier_most) for tier in simulated_tiers(D(75)))
    rows = feasible(ASKED, D(18), [replace(known, max_leverage=most, tiers=tiers)], PRICES)
    (row,) = rows
    allowed = min(most, tier_most)
    assert (row.leverage_most, row.leverage_by) == (allowed, by)
    assert row.leverage <= allowed
    text = " ".join(" ".join(feasible_lines((rows, rows), (rows, rows))).split())
    assert f"leverage at most {allowed:f}x by the {by}, below MAX_LEVERAGE: BNBUSDT" in text


def test_s32_nothing_is_said_where_the_asked_leverage_is_allowed() -> None:
    rows = feasible(
        Policy(max_leverage=D(10)), D(18), [i for i in universe() if i.symbol == "BNBUSDT"], PRICES
    )
    (row,) = rows
    assert (row.leverage_most, row.leverage_by) == (D(10), "MAX_LEVERAGE")
    assert "leverage at most" not in " ".join(feasible_lines((rows, rows), (rows, rows)))
