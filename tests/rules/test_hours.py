"""HORIZON=hours: a second set of numbers, wide stops, gross at most 1x, a liquidation beyond the worst day there was."""

from __future__ import annotations

import csv
import gzip
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from turbo_trader.console.size_choice import require_hours
from turbo_trader.market.errors import InputError, Refused
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.reference import universe
from turbo_trader.numbers.number import Horizon
from turbo_trader.rules.distances import target_and_stop
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.sizing import Account, Entry, OpenRisk, Sizing, size_entry

HOURS = Policy(horizon=Horizon.HOURS, signal="panic_rebound")
DATA = Path(__file__).resolve().parents[2].parent / "shared/data/binance-usdm-30m-2024"
#: Worst low and high within 24 h of any half hour of 2024 and 2025 on our perpetuals, from its open (RENDERUSDT, 2025-10-10).
WORST_DOWN, WORST_UP = Decimal("0.847"), Decimal("0.901")


def instrument(symbol: str) -> Instrument:
    return next(each for each in universe() if each.symbol == symbol)


def account(equity: str) -> Account:
    money = Decimal(equity)
    return Account(money, money, money, money, Decimal(0))


def sized(
    symbol: str, price: str, equity: str, direction: int = 1, open_risks: Any = (), policy: Policy = HOURS
) -> Sizing:
    entry = Entry(
        instrument=instrument(symbol), direction=direction, trade_tier=2, price=Decimal(price), stop_loss=Decimal("0.05"),
        cost=Decimal("0.0015"), slippage=Decimal(0), range_tail=Decimal("0.01"), mark_gap=Decimal(0),
        taker_fee=Decimal("0.00055"), weight=Decimal("0.0667"), symbols=15,
    )  # fmt: skip
    return size_entry(policy, account(equity), open_risks, entry)


def test_hours_are_off_by_default_and_change_the_capital_tiers_alone_where_asked() -> None:
    assert Policy().horizon == "minutes"
    tier, minutes = HOURS.capital_tier(Decimal(18)), Policy().capital_tier(Decimal(18))
    assert (tier.horizon_s, tier.max_hold_s, tier.b_trades) == (43_200, 86_400, False)
    assert (minutes.horizon_s, minutes.max_hold_s, minutes.b_trades) == (900, 1_800, True)
    assert (HOURS.signal_interval, HOURS.score_hold_min, HOURS.score_hold_max) == (30, 28_800, 86_400)
    assert HOURS.hold_factor == 1


def test_a_number_set_by_its_user_stands_in_hours_too() -> None:
    assert Policy(horizon=Horizon.HOURS, signal="panic_rebound", sl_min=Decimal("0.03")).sl_min == Decimal(
        "0.03"
    )
    assert "SL_MIN" not in HOURS.overridden()
    assert Policy.from_env(HOURS.overridden()) == HOURS


def test_hours_need_a_panel_signal() -> None:
    with pytest.raises(InputError, match=r"HORIZON.*SIGNAL"):
        Policy(horizon=Horizon.HOURS)


def test_live_takes_hours_only_where_its_user_says_so() -> None:
    with pytest.raises(Refused, match="I_ACCEPT_HOURS"):
        require_hours(HOURS, accepted=False)
    require_hours(HOURS, accepted=True)
    require_hours(Policy(), accepted=False)


@pytest.mark.parametrize(("day", "stop"), [(0.001, 0.02), (0.06, 0.06), (0.5, 0.10)])
def test_stop_is_two_per_cent_or_a_days_sigma_within_its_range(day: float, stop: float) -> None:
    gates = HOURS.gate_parameters(HOURS.capital_tier(Decimal(18)), Decimal(18))
    target, found = target_and_stop(gates, 0, 2, day / np.sqrt(86_400.0), 43_200.0)
    assert found == pytest.approx(stop)
    assert 0.04 <= target <= 0.15


@pytest.mark.parametrize("direction", [1, -1])
def test_liquidation_lies_beyond_the_worst_day_not_beyond_the_stop_alone(direction: int) -> None:
    found = sized("RENDERUSDT", "3.2", "500", direction)
    distance = direction * (1 - found.liquidation / Decimal("3.2"))
    assert found.qty > 0
    assert found.highest_by == "worst excursion"
    assert distance > (WORST_DOWN if direction > 0 else WORST_UP)
    loose = sized(
        "RENDERUSDT", "3.2", "500", direction, policy=HOURS.model_copy(update={"worst_excursion": Decimal(0)})
    )
    assert loose.highest > 5


def test_gross_of_all_positions_is_at_most_equity() -> None:
    held = OpenRisk(
        symbol="XRPUSDT", direction=1, notional=Decimal(80), margin=Decimal(40), stop_distance=Decimal("0.05"),
        cost=Decimal("0.0015"), range_tail=Decimal("0.01"),
    )  # fmt: skip
    found = sized("SOLUSDT", "150", "100", open_risks=[held])
    assert Decimal(0) < found.notional <= 20
    assert found.binding == "gross"
    full = sized("SOLUSDT", "150", "100", open_risks=[held, held])
    assert not full.qty
    assert full.binding == "gross"


def test_smallest_order_is_taken_where_only_the_margin_target_is_below_it() -> None:
    """A SOL order is 5 USDT at least: more than this target, less than everything else allows."""
    small = HOURS.model_copy(update={"a_margin_low": Decimal("0.01"), "a_margin_high": Decimal("0.01")})
    found = sized("SOLUSDT", "50", "18", policy=small)
    assert found.binding == "minimum order"
    assert found.notional == found.qty * 50
    assert found.qty >= instrument("SOLUSDT").min_qty
    off = small.model_copy(update={"minimum_order": False})
    assert not sized("SOLUSDT", "50", "18", policy=off).qty
    assert not sized("BTCUSDT", "100000", "18", policy=small).qty  # 100 USDT: gross is 18


@pytest.mark.skipif(not DATA.exists(), reason="needs the half hours of 2024-25 in ../shared/data")
def test_worst_day_is_what_the_crash_tape_has() -> None:
    found = next((DATA / "kline_30m" if (DATA / "kline_30m").is_dir() else DATA).glob("RENDERUSDT*"))
    with gzip.open(found, "rt") if found.suffix == ".gz" else found.open() as lines:
        bars = np.array([[float(x) for x in row[1:4]] for row in list(csv.reader(lines))[1:]])
    opened, high, low = bars.T
    windows = len(bars) - 47
    lows = np.min([low[k : k + windows] for k in range(48)], axis=0) / opened[:windows] - 1
    highs = np.max([high[k : k + windows] for k in range(48)], axis=0) / opened[:windows] - 1
    assert -lows.min() == pytest.approx(float(WORST_DOWN), abs=1e-3)
    assert highs.max() == pytest.approx(float(WORST_UP), abs=1e-3)
